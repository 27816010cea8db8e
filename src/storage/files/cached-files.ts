/**
 * Shared by: queries, compaction and snapshots, which hold, add and remove files. Safe because what they share, the entries and
 * their pins, is read and changed in synchronous steps: an entry that is pinned is never evicted, and a file that is being fetched
 * has one promise for everybody who waits.
 */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { InfluxError } from '../../shared/errors.ts';
import type { Log } from '../../shared/logger.ts';
import { TEMPORARY_SUFFIX, unlinkIfPresent } from '../atomic-write.ts';
import { errorText } from '../errors.ts';
import type { Fence } from '../fence.ts';
import type { FileSystem } from '../file-system.ts';
import type { BucketStore } from '../objects/index.ts';
import type { DataFile, DataFiles } from './data-files.ts';
import { fetchFile } from './fetch-file.ts';
import { LocalFiles, removeIfEmpty } from './local-files.ts';

export interface CachedFilesOptions {
  readonly bucket: BucketStore;
  readonly fs: FileSystem;
  /** Directory of the cache. */
  readonly root: string;
  /** First part of the files' paths, without `/`. */
  readonly prefix: string;
  readonly bytesMax: number;
  readonly fence: Fence;
  readonly log: Log;
}

interface Entry {
  readonly sizeBytes: number;
  pins: number;
  /** The file is there, and was right when it was looked at. */
  isRight: boolean;
  /** While it is fetched or looked at. */
  busy: Promise<void> | undefined;
}

/** Folder of the files, below the node's directory. */
const FOLDER = 'dbs';

/** Files that one reader fetches at the same time. */
const FETCHES_AT_ONCE = 8;

/** Files of a bucket, of which a directory holds copies: those that were written or read last, as a whole. */
export class CachedFiles implements DataFiles {
  readonly #options: CachedFilesOptions;
  readonly #local: LocalFiles;
  /** Of this process, in the names of its files. */
  readonly #mark = randomBytes(4).toString('hex');
  /** By path below the node's directory, in the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  /** Files that are being removed from the directory. */
  readonly #leaving = new Map<string, Promise<void>>();
  #bytes = 0;
  #hits = 0;
  #fetches = 0;

  /** Takes over what an earlier process left in the directory; it is compared with its checksum before it is used. */
  static async open(options: CachedFilesOptions): Promise<CachedFiles> {
    const files = new CachedFiles(options);
    await files.#adopt(FOLDER);
    await files.#makeRoom();
    return files;
  }

  private constructor(options: CachedFilesOptions) {
    this.#options = options;
    this.#local = new LocalFiles(options.fs, options.root);
  }

  /** Bytes and files of the cache, and how often a file was there or had to be fetched when it was needed. */
  get figures(): { readonly bytes: number; readonly files: number; readonly hits: number; readonly fetches: number } {
    return { bytes: this.#bytes, files: this.#entries.size, hits: this.#hits, fetches: this.#fetches };
  }

  unique(path: string): string {
    return path.replace(/(?=\.[a-z]+$)/, `-${this.#mark}`);
  }

  async keep(path: string): Promise<void> {
    const { bucket, fs, root } = this.#options;
    const local = join(root, path);
    const sizeBytes = await fs.size(local);
    try {
      await bucket.putFile(path, local, sizeBytes);
    } catch (error) {
      await unlinkIfPresent(fs, local).catch(() => undefined); // a start finds it
      throw error;
    }
    this.#add(path, { sizeBytes, pins: 0, isRight: true, busy: undefined });
    await this.#makeRoom();
  }

  async hold(files: readonly DataFile[]): Promise<() => void> {
    const needed = files.map((file) => ({ ...file, path: file.path.slice(this.#options.prefix.length + 1) }));
    const bytes = needed.reduce((sum, file) => sum + file.sizeBytes, 0);
    if (bytes > this.#options.bytesMax) throw moreThanFits(bytes, this.#options.bytesMax);
    const pinned = needed.map((file) => this.#pin(file));
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      for (const entry of pinned) entry.pins--;
      if (this.#bytes > this.#options.bytesMax) void this.#makeRoom();
    };
    try {
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let i = next++; i < needed.length; i = next++) await this.#makeRight(needed[i] as DataFile, pinned[i] as Entry);
      };
      await Promise.all(Array.from({ length: Math.min(FETCHES_AT_ONCE, needed.length) }, worker));
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await this.#forget(path);
    await this.#local.remove(path);
    await this.#options.bucket.delete([path]);
  }

  async discard(path: string): Promise<void> {
    await this.#forget(path);
    await this.#local.discard(path);
    await this.#options.bucket.delete([path]);
  }

  async #forget(path: string): Promise<void> {
    const { reason } = this.#options.fence;
    if (reason !== undefined) throw new Error(reason);
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#bytes -= entry.sizeBytes;
    this.#entries.delete(path);
  }

  #pin({ path, sizeBytes }: DataFile): Entry {
    const known = this.#entries.get(path);
    const entry = known?.sizeBytes === sizeBytes ? known : { sizeBytes, pins: 0, isRight: false, busy: undefined };
    if (entry.isRight) this.#hits++;
    entry.pins++;
    this.#add(path, entry);
    return entry;
  }

  /** Adds or moves an entry to the end of the order. */
  #add(path: string, entry: Entry): void {
    this.#bytes += entry.sizeBytes - (this.#entries.get(path)?.sizeBytes ?? 0);
    this.#entries.delete(path);
    this.#entries.set(path, entry);
  }

  /** Resolves when the file is there. One fetch, however many wait; who comes after a failure tries again. */
  async #makeRight(file: DataFile, entry: Entry): Promise<void> {
    while (!entry.isRight) {
      entry.busy ??= this.#provide(file, entry).finally(() => {
        entry.busy = undefined;
      });
      await entry.busy;
    }
  }

  async #provide(file: DataFile, entry: Entry): Promise<void> {
    const { bucket, fs, log, root } = this.#options;
    const local = join(root, file.path);
    await this.#leaving.get(file.path); // evicted a moment ago
    if (await isWhole(fs, local, file)) {
      entry.isRight = true;
      return;
    }
    await this.#makeRoom();
    try {
      await fs.mkdir(dirname(local));
      await fetchFile(bucket, fs, file, local);
    } catch (error) {
      log.warn('a Parquet file could not be fetched from the object store', { path: file.path, error: errorText(error) });
      throw notFetched(file.path, error);
    }
    this.#fetches++;
    entry.isRight = true;
  }

  /** Evicts the files that were not used for longest, as far as nobody holds them, until the rest fits. */
  async #makeRoom(): Promise<void> {
    for (const [path, entry] of this.#entries) {
      if (this.#bytes <= this.#options.bytesMax) break;
      if (entry.pins > 0 || entry.busy !== undefined) continue;
      this.#bytes -= entry.sizeBytes;
      this.#entries.delete(path);
      const left = this.#local
        .remove(path)
        .catch(() => undefined) // found, and evicted, by the next start
        .finally(() => this.#leaving.delete(path));
      this.#leaving.set(path, left);
    }
    await Promise.all(this.#leaving.values());
  }

  async #adopt(folder: string): Promise<void> {
    const { fs, root } = this.#options;
    const directory = join(root, folder);
    const entries = await fs.entries(directory);
    if (entries.length === 0) await removeIfEmpty(fs, directory);
    for (const { isDirectory, name } of entries) {
      const path = `${folder}/${name}`;
      if (isDirectory) await this.#adopt(path);
      else if (name.endsWith(TEMPORARY_SUFFIX)) await unlinkIfPresent(fs, join(root, path));
      else this.#add(path, { sizeBytes: await fs.size(join(root, path)), pins: 0, isRight: false, busy: undefined });
    }
  }
}

/** Whether the file is in the cache, with its size and checksum. */
async function isWhole(fs: FileSystem, local: string, { crc32, sizeBytes }: DataFile): Promise<boolean> {
  try {
    return (await fs.size(local)) === sizeBytes && (crc32 === undefined || (await fs.checksum(local)) === crc32);
  } catch {
    return false; // it is not there, or cannot be read: a fetched copy takes its place
  }
}

function moreThanFits(bytes: number, bytesMax: number): InfluxError {
  const message =
    `Resources exhausted: the query needs ${bytes} bytes of Parquet files at once, and the file cache may hold ${bytesMax}; ` +
    'narrow its time range, or raise --file-cache-disk-size';
  return new InfluxError({ code: 'FILE_CACHE_TOO_SMALL', message, status: 500 });
}

function notFetched(path: string, cause: unknown): InfluxError {
  const message = `External error: Parquet file ${path} could not be fetched from the object store: ${errorText(cause)}`;
  return new InfluxError({ code: 'FILE_NOT_FETCHED', message, status: 503, cause });
}
