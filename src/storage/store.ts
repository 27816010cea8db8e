import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdtemp, readdir, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../shared/clock.ts';
import type { Log } from '../shared/logger.ts';
import { systemTimers } from '../shared/timers.ts';
import { type DirectoryOption, directoryUnusable, StorageStartupError } from './errors.ts';
import { Fence } from './fence.ts';
import type { FileSystem } from './file-system.ts';
import { CachedFiles, type DataFiles, LocalFiles } from './files/index.ts';
import { nodeFileSystem, unsyncedFileSystem } from './node-file-system.ts';
import { acquireNodeLock, type NodeLock, nodeLockState } from './node-lock.ts';
import { type BucketStore, DirectoryObjectStore, type ObjectStore, probeStore } from './objects/index.ts';
import { encodePathPart } from './path-part.ts';
import { refuseUnfinishedCopy } from './unfinished-copy.ts';
import { refuseWindowsName } from './windows-names.ts';

/** Where a node keeps its data. */
export type StoreOptions =
  | { readonly kind: 'file'; readonly dataDir: string; readonly nodeId: string; readonly sync?: boolean }
  | { readonly kind: 'memory'; readonly nodeId: string }
  | BucketStoreOptions;

/** The node's whole layout (`wal/`, `dbs/`, `snapshots/`, `catalog/`): a locked directory, or a bucket with a locked directory as its cache. */
export interface Store {
  readonly kind: 'file' | 'memory' | 'bucket';
  /** Absolute path of `<data-dir>/<node-id>`, or of the cache. */
  readonly root: string;
  /** Path part of the node id, first part of every object path. */
  readonly prefix: string;
  /** Operations with the durability of the store: `memory` never syncs. */
  readonly fs: FileSystem;
  /** Catalog, snapshot infos and file index: what is written as a whole and listed at the start. */
  readonly objects: ObjectStore;
  /** Parquet files. */
  readonly files: DataFiles;
  /** Undefined = the directory is the store. */
  readonly bucket: BucketParts | undefined;
  /** Another process may have taken over. */
  readonly fence: Fence;
  /** False = nothing survives the process, so no log is needed. */
  readonly durable: boolean;
  /** Releases the lock; `memory` also removes everything. Idempotent. */
  close(): Promise<void>;
}

const MEMORY_PREFIX = 'influxdb3-memory-';

/** `/dev/shm` is used only with this much room; containers often have 64 MB there. */
const SHARED_MEMORY_FREE_BYTES_MIN = 1024 ** 3;

/** A directory without a lock may be one that is being set up just now. */
const SETUP_TIME_MS = 60_000;

/** What a store has that is a bucket. */
export interface BucketParts {
  /** The same as the store's `objects`. */
  readonly store: BucketStore;
  readonly cache: CachedFiles;
}

/** A bucket, and where the cache of its files is. */
export interface BucketStoreOptions {
  readonly kind: 'bucket';
  /** Opens the bucket below `<node-id>/`. */
  readonly open: (prefix: string) => Promise<BucketStore>;
  readonly nodeId: string;
  readonly cacheDir: string;
  readonly cacheBytesMax: number;
  readonly log: Log;
}

/**
 * Creates or opens the node's directory or bucket. Throws `StorageStartupError` when the directory cannot be written or another
 * process has it, `StartupError` when the bucket cannot be used.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  if (options.kind === 'bucket') return openBucketStore(options);
  return options.kind === 'file' ? openFileStore(options) : openMemoryStore(options.nodeId);
}

async function openFileStore(options: Extract<StoreOptions, { kind: 'file' }>): Promise<Store> {
  const prefix = encodePathPart(options.nodeId);
  const { lock, root } = await lockedDirectory(options.dataDir, prefix, '--data-dir');
  const fs = options.sync === false ? unsyncedFileSystem(nodeFileSystem) : nodeFileSystem;
  const parts = directoryParts(fs, root);
  try {
    await refuseUnfinishedCopy(parts.objects);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return { kind: 'file', root, prefix, ...parts, durable: true, close: () => lock.release() };
}

/** What a store has whose directory is the store. */
function directoryParts(fs: FileSystem, root: string): Pick<Store, 'fs' | 'objects' | 'files' | 'bucket' | 'fence'> {
  return { fs, objects: new DirectoryObjectStore(fs, root), files: new LocalFiles(fs, root), bucket: undefined, fence: new Fence() };
}

async function lockedDirectory(
  parent: string,
  prefix: string,
  option: DirectoryOption,
): Promise<{ readonly root: string; readonly lock: NodeLock }> {
  refuseWindowsName(prefix);
  const root = resolve(parent, prefix);
  try {
    await nodeFileSystem.mkdir(root);
    await probe(root);
    await nodeFileSystem.syncDirectory(dirname(root));
  } catch (error) {
    throw directoryUnusable(root, error, option);
  }
  return { root, lock: await lockDirectory(root, option) };
}

async function openBucketStore(options: BucketStoreOptions): Promise<Store> {
  const prefix = encodePathPart(options.nodeId);
  const { lock, root } = await lockedDirectory(options.cacheDir, prefix, '--file-cache-dir');
  const fs = unsyncedFileSystem(nodeFileSystem); // what a crash loses of a cache is fetched again
  let store: BucketStore | undefined;
  try {
    store = await options.open(`${prefix}/`);
    await probeStore(store, systemTimers);
    await refuseUnfinishedCopy(store);
    const fence = new Fence();
    const cache = await CachedFiles.open({ bucket: store, fs, root, prefix, bytesMax: options.cacheBytesMax, fence, log: options.log });
    const opened = store;
    const close = async (): Promise<void> => {
      opened.close();
      await lock.release();
    };
    return { kind: 'bucket', root, prefix, fs, objects: store, files: cache, bucket: { store, cache }, fence, durable: true, close };
  } catch (error) {
    store?.close();
    await lock.release();
    throw error;
  }
}

async function openMemoryStore(nodeId: string): Promise<Store> {
  const base = await memoryBase();
  await removeLeftovers(base);
  const prefix = encodePathPart(nodeId);
  let directory: string;
  try {
    directory = await mkdtemp(join(base, MEMORY_PREFIX));
  } catch (error) {
    throw directoryUnusable(base, error);
  }
  const lock = await lockDirectory(directory, '--data-dir');
  const root = join(directory, prefix);
  await nodeFileSystem.mkdir(root);
  const close = async () => {
    await rm(directory, { recursive: true, force: true });
    await lock.release();
  };
  const fs = unsyncedFileSystem(nodeFileSystem);
  return { kind: 'memory', root, prefix, ...directoryParts(fs, root), durable: false, close };
}

async function lockDirectory(directory: string, option: DirectoryOption): Promise<NodeLock> {
  try {
    return await acquireNodeLock(directory, option);
  } catch (error) {
    throw error instanceof StorageStartupError ? error : directoryUnusable(directory, error, option);
  }
}

/** Root may ignore permission bits and disks may be read-only: only writing tells. */
async function probe(directory: string): Promise<void> {
  const path = join(directory, `.probe-${randomUUID()}`);
  await writeFile(path, 'x');
  await unlink(path);
}

async function memoryBase(): Promise<string> {
  if (process.platform !== 'linux') return tmpdir();
  try {
    await access('/dev/shm', constants.W_OK);
    const { bavail, bsize } = await statfs('/dev/shm');
    if (bavail * bsize >= SHARED_MEMORY_FREE_BYTES_MIN) return '/dev/shm';
  } catch {
    // no such directory here
  }
  return tmpdir();
}

/** Directories of memory stores whose process died without removing them. Never fails a start. */
async function removeLeftovers(base: string): Promise<void> {
  const names = await readdir(base).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(MEMORY_PREFIX)) continue;
    const path = join(base, name);
    if (await isLeftover(path).catch(() => false)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isLeftover(path: string): Promise<boolean> {
  const { mtimeMs, uid } = await stat(path);
  if (process.getuid !== undefined && uid !== process.getuid()) return false;
  const state = await nodeLockState(path);
  return state === 'stale' || (state === 'absent' && systemClock.nowMs() - mtimeMs > SETUP_TIME_MS);
}
