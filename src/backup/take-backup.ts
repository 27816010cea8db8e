import { CATALOG_SNAPSHOT_KEY, readCatalogSnapshot } from '../catalog/index.ts';
import { BackupError, type BackupProgress, type BackupSource, type OfferedFile, type OfferedMoment } from './contract.ts';
import { type BackupManifest, backupName, type StoredFile } from './manifest.ts';
import type { BackupRepository } from './repository.ts';

/** Files that are copied at once. */
const COPIES_MAX = 4;

export interface TakenBackup {
  readonly manifest: BackupManifest;
  /** Files and bytes that came from the server; the others were there already. */
  readonly copiedFiles: number;
  readonly copiedBytes: number;
}

/**
 * Copies a moment of a server into a directory of backups. Parquet files that an earlier backup has, by name, size and checksum,
 * are not copied again. What arrives is checked against the server's checksums. A backup that does not end leaves no trace but
 * contents that the next one uses or removes. Throws `BackupError`, and what the source throws.
 */
export async function takeBackup(
  source: BackupSource,
  repository: BackupRepository,
  onProgress: (progress: BackupProgress) => void = () => undefined,
): Promise<TakenBackup> {
  const lock = await repository.lock();
  try {
    const moment = await source.begin();
    try {
      return await copyMoment(source, moment, repository, onProgress);
    } finally {
      // The server lets it go by itself after a while.
      await source.release(moment).catch(() => undefined);
    }
  } finally {
    await lock.release();
  }
}

async function copyMoment(
  source: BackupSource,
  moment: OfferedMoment,
  repository: BackupRepository,
  onProgress: (progress: BackupProgress) => void,
): Promise<TakenBackup> {
  const known = await earlierFiles(repository, moment.catalogUuid);
  const stored: StoredFile[] = [];
  const missing: OfferedFile[] = [];
  for (const file of moment.files) {
    const before = known.get(keyOf(file));
    if (before !== undefined && (await repository.has(before))) stored.push({ ...before, path: file.path });
    else missing.push(file);
  }
  const totalBytes = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  let doneFiles = 0;
  const tell = (): void => onProgress({ doneBytes, totalBytes, doneFiles, totalFiles: missing.length });
  const queue = [...missing];
  let failed = false;
  const copier = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined && !failed; file = queue.shift()) {
      const bytes = await source.read(moment, file.path);
      const onBytes = (count: number): void => {
        doneBytes += count;
        tell();
      };
      stored.push(await repository.add(bytes, file, onBytes));
      doneFiles += 1;
      tell();
    }
  };
  const copiers = Array.from({ length: COPIES_MAX }, () =>
    copier().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(copiers);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  const manifest = await manifestOf(moment, stored, repository);
  await repository.publish(manifest);
  return { manifest, copiedFiles: missing.length, copiedBytes: totalBytes };
}

/** Files with a checksum of all backups of the same catalog. */
async function earlierFiles(repository: BackupRepository, catalogUuid: string): Promise<ReadonlyMap<string, StoredFile>> {
  const found = new Map<string, StoredFile>();
  for (const name of await repository.names()) {
    const manifest = await repository.manifest(name);
    if (manifest.catalogUuid !== catalogUuid) continue;
    for (const file of manifest.files) if (file.crc32 !== undefined) found.set(keyOf(file), file);
  }
  return found;
}

/** Files whose checksum the server does not know are always copied. */
function keyOf({ crc32, path, sizeBytes }: OfferedFile): string {
  return crc32 === undefined ? `?${path}` : `${path} ${sizeBytes} ${crc32}`;
}

async function manifestOf(moment: OfferedMoment, files: readonly StoredFile[], repository: BackupRepository): Promise<BackupManifest> {
  const catalogFile = files.find(({ path }) => path === CATALOG_SNAPSHOT_KEY);
  if (catalogFile === undefined) throw new BackupError('the server sent no catalog');
  const catalog = await readWhole(repository.read(catalogFile));
  return {
    version: 1,
    name: backupName(moment.takenAt),
    takenAt: moment.takenAt,
    nodeId: moment.nodeId,
    serverVersion: moment.version,
    catalogUuid: moment.catalogUuid,
    catalogSequence: moment.catalogSequence,
    databases: [...readCatalogSnapshot(catalog).databases.keys()],
    files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** All bytes of a small content, in memory of their own. */
export async function readWhole(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks)); // the file index is read as columns: it must begin at a multiple of 8 bytes
}
