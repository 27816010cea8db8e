import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdtemp, readdir, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../shared/clock.ts';
import { directoryUnusable, StorageStartupError } from './errors.ts';
import type { FileSystem } from './file-system.ts';
import { nodeFileSystem, unsyncedFileSystem } from './node-file-system.ts';
import { acquireNodeLock, type NodeLock, nodeLockState } from './node-lock.ts';
import { DirectoryObjectStore, type ObjectStore } from './objects/index.ts';
import { encodePathPart } from './path-part.ts';

/** Where a node keeps its data. */
export type StoreOptions =
  | { readonly kind: 'file'; readonly dataDir: string; readonly nodeId: string; readonly sync?: boolean }
  | { readonly kind: 'memory'; readonly nodeId: string };

/** A locked directory with the node's whole layout (`wal/`, `dbs/`, `snapshots/`, `catalog/`). */
export interface Store {
  readonly kind: 'file' | 'memory';
  /** Absolute path of `<data-dir>/<node-id>`. */
  readonly root: string;
  /** Path part of the node id, first part of every object path. */
  readonly prefix: string;
  /** Operations with the durability of the store: `memory` never syncs. */
  readonly fs: FileSystem;
  /** Catalog, snapshot infos and file index: what is written as a whole and listed at the start. */
  readonly objects: ObjectStore;
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

/** Creates or opens the node's directory. Throws `StorageStartupError` when it cannot be written or another process has it. */
export async function openStore(options: StoreOptions): Promise<Store> {
  return options.kind === 'file' ? openFileStore(options) : openMemoryStore(options.nodeId);
}

async function openFileStore(options: Extract<StoreOptions, { kind: 'file' }>): Promise<Store> {
  const prefix = encodePathPart(options.nodeId);
  const root = resolve(options.dataDir, prefix);
  try {
    await nodeFileSystem.mkdir(root);
    await probe(root);
    await nodeFileSystem.syncDirectory(dirname(root));
  } catch (error) {
    throw directoryUnusable(root, error);
  }
  const lock = await lockDirectory(root);
  const fs = options.sync === false ? unsyncedFileSystem(nodeFileSystem) : nodeFileSystem;
  const objects = new DirectoryObjectStore(fs, root);
  return { kind: 'file', root, prefix, fs, objects, durable: true, close: () => lock.release() };
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
  const lock = await lockDirectory(directory);
  const root = join(directory, prefix);
  await nodeFileSystem.mkdir(root);
  const close = async () => {
    await rm(directory, { recursive: true, force: true });
    await lock.release();
  };
  const fs = unsyncedFileSystem(nodeFileSystem);
  return { kind: 'memory', root, prefix, fs, objects: new DirectoryObjectStore(fs, root), durable: false, close };
}

async function lockDirectory(directory: string): Promise<NodeLock> {
  try {
    return await acquireNodeLock(directory);
  } catch (error) {
    throw error instanceof StorageStartupError ? error : directoryUnusable(directory, error);
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
