import { CATALOG_SNAPSHOT_KEY, readCatalogSnapshot } from '../catalog/index.ts';
import { inParallel } from '../shared/in-parallel.ts';
import { systemTimers, type Timers } from '../shared/timers.ts';
import { backupFailure } from './backup-failure.ts';
import { BackupRun } from './backup-run.ts';
import { BackupError, type BackupProgress, type BackupSource, type OfferedFile, type OfferedMoment } from './contract.ts';
import { type BackupManifest, contentKey, type StoredFile } from './manifest.ts';
import type { BackupPlace, OpenedPlace } from './place.ts';
import { type RemovedBackups, removeOldBackups } from './remove-old.ts';
import { BackupRepository } from './repository.ts';
import { progressOf, unfinishedBackups } from './unfinished.ts';

/** Files that are copied at once. */
const COPIES_MAX = 8;

/** The server lets a moment go that nobody asked for in two minutes, and a large file may take longer to be stored. */
const TOUCH_EVERY_MS = 30_000;

/** Manifests that are read to find the last backup of the same node. */
const MANIFESTS_READ_MAX = 32;

export interface TakenBackup {
  readonly manifest: BackupManifest;
  /** Files and bytes that came from the server; the others were there already. */
  readonly copiedFiles: number;
  readonly copiedBytes: number;
  /** What `keep` did; an error = the backup is complete, and nothing was removed. */
  readonly removed: RemovedBackups | BackupError | undefined;
}

export interface TakeBackupOptions {
  /** Backups of this node that stay; undefined = all. */
  readonly keep?: number | undefined;
  readonly timers?: Timers;
  onProgress?(progress: BackupProgress): void;
}

/**
 * Copies a moment of a server to where backups are. Parquet files that an earlier backup has, by name, size and checksum, are not
 * copied again. What arrives is checked against the server's checksums. A backup that does not end leaves no trace but
 * contents that the next one uses. Throws `BackupError`, `StartupError`, and what the source throws.
 */
export async function takeBackup(source: BackupSource, place: BackupPlace, options: TakeBackupOptions = {}): Promise<TakenBackup> {
  try {
    const opened = await place.open();
    try {
      await refuseNode(place);
      const taken = await copyMoment(source, place, options);
      const removed = options.keep === undefined ? undefined : await removedBy(place, opened, taken.manifest, options);
      return { ...taken, removed };
    } finally {
      await opened.release();
    }
  } catch (error) {
    throw backupFailure(place, error, 'take the backup again when that is mended: what was copied is not copied again');
  }
}

async function removedBy(
  place: BackupPlace,
  { alone }: OpenedPlace,
  { catalogUuid, nodeId }: BackupManifest,
  { keep = 1, timers = systemTimers }: TakeBackupOptions,
): Promise<RemovedBackups | BackupError> {
  try {
    return await removeOldBackups(place, { nodeId, catalogUuid, keep, alone, timers });
  } catch (error) {
    const failure = backupFailure(place, error, 'the next backup with --keep removes them');
    if (failure instanceof BackupError) return failure;
    throw failure;
  }
}

/** Backups among the data of a node would be taken for a part of it. */
async function refuseNode(place: BackupPlace): Promise<void> {
  for await (const _ of place.objects.list('catalog/'))
    throw new BackupError(`${place.text} holds the data of a node`, { hint: 'give the backups a place of their own' });
}

async function copyMoment(
  source: BackupSource,
  place: BackupPlace,
  { onProgress, timers = systemTimers }: TakeBackupOptions,
): Promise<Omit<TakenBackup, 'removed'>> {
  const moment = await source.begin();
  const stopTouching = timers.every(TOUCH_EVERY_MS, () => {
    source.touch(moment).catch(() => undefined); // the copy hears of it
  });
  try {
    const run = await BackupRun.begin(place, moment, timers);
    try {
      return await new Copy(source, moment, place, run, onProgress).run();
    } finally {
      await run.stop();
    }
  } finally {
    stopTouching();
    // The server lets it go by itself after a while.
    await source.release(moment).catch(() => undefined);
  }
}

/** A moment on its way. */
class Copy {
  readonly #source: BackupSource;
  readonly #moment: OfferedMoment;
  readonly #place: BackupPlace;
  readonly #repository: BackupRepository;
  readonly #run: BackupRun;
  readonly #onProgress: (progress: BackupProgress) => void;
  readonly #stored: StoredFile[] = [];
  readonly #missing: OfferedFile[] = [];
  #totalBytes = 0;
  #arrivedBytes = 0;
  #storedBytes = 0;
  #doneFiles = 0;

  constructor(
    source: BackupSource,
    moment: OfferedMoment,
    place: BackupPlace,
    run: BackupRun,
    onProgress: (progress: BackupProgress) => void = () => undefined,
  ) {
    this.#source = source;
    this.#moment = moment;
    this.#place = place;
    this.#repository = new BackupRepository(place);
    this.#run = run;
    this.#onProgress = onProgress;
  }

  async run(): Promise<Omit<TakenBackup, 'removed'>> {
    await this.#findStored();
    this.#totalBytes = this.#missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await inParallel(this.#missing, COPIES_MAX, (file) => this.#copy(file));
    const manifest = await this.#manifest();
    await this.#verify(manifest);
    await this.#run.publish(manifest);
    return { manifest, copiedFiles: this.#missing.length, copiedBytes: this.#totalBytes };
  }

  /** What other backups have need not be copied. Files whose checksum the server does not know always are. */
  async #findStored(): Promise<void> {
    const known = await this.#earlierFiles();
    const sizes = await this.#repository.contents();
    const there = (file: StoredFile): boolean => sizes.get(contentKey(file)) === file.sizeBytes;
    for (const file of known) this.#run.know(file, there(file));
    const byKey = new Map(known.filter((file) => file.crc32 !== undefined && there(file)).map((file) => [keyOf(file), file]));
    for (const file of this.#moment.files) {
      const before = file.crc32 === undefined ? undefined : byKey.get(keyOf(file));
      if (before === undefined) this.#missing.push(file);
      else this.#stored.push({ ...before, path: file.path });
    }
  }

  /** Files of the last backup of the same catalog, and of those that did not end. */
  async #earlierFiles(): Promise<StoredFile[]> {
    const { catalogUuid } = this.#moment;
    const found: StoredFile[] = [];
    for (const unfinished of await unfinishedBackups(this.#place)) {
      if (unfinished.name === this.#run.name) continue;
      for (const part of await progressOf(this.#place, unfinished)) if (part.catalogUuid === catalogUuid) found.push(...part.files);
    }
    const names = await this.#repository.names();
    for (const name of names.toReversed().slice(0, MANIFESTS_READ_MAX)) {
      const manifest = await this.#repository.read(name).catch(withoutDamaged);
      if (manifest === undefined || 'givenUp' in manifest || manifest.catalogUuid !== catalogUuid) continue;
      return [...found, ...manifest.files];
    }
    return found;
  }

  async #copy(file: OfferedFile): Promise<void> {
    const bytes = await this.#source.read(this.#moment, file.path);
    const stored = await this.#run.add(bytes, file, (count) => {
      this.#arrivedBytes += count;
      this.#tell();
    });
    this.#stored.push(stored);
    this.#storedBytes += file.sizeBytes;
    this.#doneFiles += 1;
    this.#tell();
  }

  /** Half of the work is to read a file, half to store it. */
  #tell(): void {
    const doneBytes = (this.#arrivedBytes + this.#storedBytes) / 2;
    this.#onProgress({ doneBytes, totalBytes: this.#totalBytes, doneFiles: this.#doneFiles, totalFiles: this.#missing.length });
  }

  async #manifest(): Promise<BackupManifest> {
    const files = this.#stored;
    const catalogFile = files.find(({ path }) => path === CATALOG_SNAPSHOT_KEY);
    if (catalogFile === undefined) throw new BackupError('the server sent no catalog');
    const catalog = await readWhole(this.#repository.content(catalogFile));
    const { catalogSequence, catalogUuid, nodeId, takenAt, version } = this.#moment;
    return {
      ...{ version: 2, name: this.#run.name, takenAt, nodeId, serverVersion: version, catalogUuid, catalogSequence },
      databases: [...readCatalogSnapshot(catalog).databases.keys()],
      files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    };
  }

  /** A rule of the bucket, or a person, may have removed something meanwhile. */
  async #verify(manifest: BackupManifest): Promise<void> {
    const sizes = await this.#repository.contents();
    for (const file of manifest.files) {
      if (sizes.get(contentKey(file)) === file.sizeBytes) continue;
      throw new BackupError(`${this.#place.objects.locate(contentKey(file))} went, or changed, during the backup`, {
        hint: 'see that nothing else removes objects there, such as a lifecycle rule of the bucket, and take the backup again',
      });
    }
  }
}

function keyOf({ crc32, path, sizeBytes }: OfferedFile): string {
  return `${path} ${sizeBytes} ${crc32}`;
}

/** What is damaged is not used; `--check` and `--list` tell of it. */
function withoutDamaged(error: unknown): undefined {
  if (!(error instanceof BackupError)) throw error;
}

/** All bytes of a small content, in memory of their own. */
export async function readWhole(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks)); // the file index is read as columns: it must begin at a multiple of 8 bytes
}
