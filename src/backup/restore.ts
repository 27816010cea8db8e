import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CATALOG_SNAPSHOT_KEY, readCatalogSnapshot, selectFromSnapshot } from '../catalog/index.ts';
import { inParallel } from '../shared/in-parallel.ts';
import { encodePathPart, nodeFileSystem } from '../storage/index.ts';
import { decodeFileIndex, encodeFileIndex, INDEX_KEY } from '../write/file-index/index.ts';
import { BackupError, type BackupProgress } from './contract.ts';
import type { BackupManifest, StoredFile } from './manifest.ts';
import type { BackupRepository } from './repository.ts';
import { readWhole } from './take-backup.ts';

/** Files that are copied at once. */
const COPIES_MAX = 8;

export interface RestoreOptions {
  readonly dataDir: string;
  /** Id of the node that gets the data; it may be another one than that of the backup. */
  readonly nodeId: string;
  /** Databases to restore; undefined = all. */
  readonly databases?: readonly string[] | undefined;
  onProgress?(progress: BackupProgress): void;
}

/**
 * Builds the directory of a node from a backup: a server that starts there has what the node held at the moment of the backup.
 * Everything is checked against the checksums of the backup; the directory appears as a whole, or not at all. Answers with its path.
 * Throws `BackupError`: when the node has data already, a database is not in the backup, or the backup is damaged.
 */
export async function restoreNode(repository: BackupRepository, manifest: BackupManifest, options: RestoreOptions): Promise<string> {
  const prefix = encodePathPart(options.nodeId);
  const target = join(options.dataDir, prefix);
  await checkFree(target, options.nodeId);
  const unfinished = join(options.dataDir, `.restoring-${prefix}`);
  await rm(unfinished, { recursive: true, force: true }); // of a restore that did not end
  const { catalog, files, index } = await selected(repository, manifest, options, prefix);
  const written = new WrittenTree(unfinished);
  try {
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    let doneBytes = 0;
    let doneFiles = 0;
    const tell = (): void => options.onProgress?.({ doneBytes, totalBytes, doneFiles, totalFiles: files.length });
    await inParallel(files, COPIES_MAX, async (file) => {
      await written.add(file.path, repository.content(file), (count) => {
        doneBytes += count;
        tell();
      });
      doneFiles += 1;
      tell();
    });
    await written.add(CATALOG_SNAPSHOT_KEY, [catalog]);
    await written.add(INDEX_KEY, [index]);
    await written.sync();
    await rm(target, { recursive: true, force: true }); // empty, or there is none
    await rename(unfinished, target);
    await nodeFileSystem.syncDirectory(options.dataDir);
    return target;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function checkFree(target: string, nodeId: string): Promise<void> {
  const names = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new BackupError(`${target} cannot be read: ${error.message}`, { cause: error });
  });
  if (names.length > 0) {
    throw new BackupError(`node ${nodeId} has data already in ${target}`, {
      hint: 'restore to another --node-id or --data-dir, or move that directory away',
    });
  }
}

interface Selected {
  readonly catalog: Uint8Array;
  readonly index: Uint8Array;
  /** All other files that are restored. */
  readonly files: readonly StoredFile[];
}

/** Catalog and file index for the new node, with the wanted databases alone. */
async function selected(
  repository: BackupRepository,
  manifest: BackupManifest,
  options: RestoreOptions,
  prefix: string,
): Promise<Selected> {
  const contentOf = async (path: string): Promise<Uint8Array> => {
    const file = manifest.files.find((stored) => stored.path === path);
    if (file === undefined) throw new BackupError(`the backup ${manifest.name} has no ${path}`);
    return readWhole(repository.content(file));
  };
  const whole = await contentOf(CATALOG_SNAPSHOT_KEY);
  const { databases, uuid } = readCatalogSnapshot(whole);
  const ids = options.databases === undefined ? undefined : chosenIds(options.databases, databases, manifest);
  const stored = decodeFileIndex(await contentOf(INDEX_KEY), uuid);
  if (typeof stored === 'string') throw new BackupError(`the file index of the backup ${manifest.name}: ${stored}`);
  const stays = (databaseId: number): boolean => ids === undefined || ids.has(databaseId) || databaseId === 0;
  const indexed = stored.files.filter((file) => stays(file.databaseId));
  const gone = new Set(stored.files.filter((file) => !stays(file.databaseId)).map(({ path }) => belowNode(path)));
  const { state } = stored;
  const aside = state?.tablesAside ?? [];
  const index = encodeFileIndex(
    {
      ...stored,
      files: indexed.map((file) => ({ ...file, path: `${prefix}/${belowNode(file.path)}` })),
      deletes: stored.deletes.filter((deleted) => stays(deleted.databaseId)),
      ...(state === undefined ? {} : { state: { ...state, tablesAside: aside.filter(({ databaseId }) => stays(databaseId)) } }),
    },
    uuid,
  );
  const catalog = selectFromSnapshot(whole, { databaseIds: ids, keepNodes: options.nodeId === manifest.nodeId });
  const files = manifest.files.filter(({ path }) => path !== CATALOG_SNAPSHOT_KEY && path !== INDEX_KEY && !gone.has(path));
  return { catalog, index, files };
}

function chosenIds(names: readonly string[], known: ReadonlyMap<string, number>, manifest: BackupManifest): ReadonlySet<number> {
  return new Set(
    names.map((name) => {
      const id = known.get(name);
      if (id !== undefined) return id;
      throw new BackupError(`the backup ${manifest.name} has no database ${name}`, {
        hint: `it has ${[...known.keys()].join(', ') || 'none'}`,
      });
    }),
  );
}

function belowNode(path: string): string {
  return path.slice(path.indexOf('/') + 1);
}

/** Files written below a directory, durable after `sync`. */
class WrittenTree {
  readonly #root: string;
  readonly #directories = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async add(
    path: string,
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onBytes: (count: number) => void = () => undefined,
  ): Promise<void> {
    const target = join(this.#root, ...path.split('/'));
    await nodeFileSystem.mkdir(dirname(target));
    for (let directory = dirname(target); directory.length >= this.#root.length; directory = dirname(directory))
      this.#directories.add(directory);
    const file = await open(target, 'wx');
    try {
      for await (const chunk of bytes) {
        await file.writeFile(chunk);
        onBytes(chunk.byteLength);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async sync(): Promise<void> {
    for (const directory of [...this.#directories].sort((a, b) => b.length - a.length)) await nodeFileSystem.syncDirectory(directory);
  }
}
