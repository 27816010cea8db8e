import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemTimers } from '../shared/timers.ts';
import {
  acquireNodeLock,
  type BucketStore,
  DirectoryObjectStore,
  filesBelow,
  makeSpoolDirectory,
  type NodeLock,
  nodeFileSystem,
  type ObjectEntry,
  type ObjectStore,
  PreparedFolders,
  probeStore,
  StorageStartupError,
  withOperations,
} from '../storage/index.ts';
import { BackupError } from './contract.ts';
import { CONTENTS } from './manifest.ts';

/** Where backups are: a directory, or a part of a bucket. */
export interface BackupPlace {
  readonly objects: ObjectStore;
  /** All objects that begin with a folder, with sizes and times. */
  entries(folder: string): AsyncIterable<ObjectEntry>;
  /** A path for a file that will be stored, on a disk of this machine. */
  spoolPath(): Promise<string>;
  /** Stores a file that was written to such a path, and removes it there. */
  storeSpooled(key: string, path: string, sizeBytes: number): Promise<void>;
  /**
   * What must be done before anything is written. A directory is locked, so nobody else writes there, and what others left is of
   * processes that are gone: `alone`. In a bucket others may write too. Throws `BackupError`, `StartupError`.
   */
  open(): Promise<OpenedPlace>;
  /** How people find it. */
  readonly text: string;
  close(): Promise<void>;
}

export interface OpenedPlace {
  readonly alone: boolean;
  release(): Promise<void>;
}

/** A directory, which is made when it is written to. */
export function directoryBackups(directory: string): BackupPlace {
  const objects = new DirectoryObjectStore(nodeFileSystem, directory);
  const folders = new PreparedFolders(objects);
  return {
    objects: prepared(objects, folders),
    entries: (folder) => filesBelow(directory, folder),
    async spoolPath() {
      const key = `${CONTENTS}new-${randomUUID()}`;
      await folders.ready(key);
      return objects.locate(key);
    },
    async storeSpooled(key, path) {
      await folders.ready(key);
      const target = objects.locate(key);
      await nodeFileSystem.rename(path, target);
      await nodeFileSystem.syncDirectory(dirname(target));
    },
    async open() {
      await nodeFileSystem.mkdir(directory);
      return { alone: true, release: await locked(directory) };
    },
    text: directory,
    close: async () => undefined,
  };
}

/** A part of a bucket. */
export function bucketBackups(bucket: BucketStore): BackupPlace {
  let spool: Promise<string> | undefined;
  return {
    objects: bucket,
    entries: (folder) => bucket.entries(folder),
    async spoolPath() {
      spool ??= makeSpoolDirectory('backup');
      return join(await spool, randomUUID());
    },
    async storeSpooled(key, path, sizeBytes) {
      await bucket.putFile(key, path, sizeBytes);
      await rm(path, { force: true });
    },
    async open() {
      await probeStore(bucket, systemTimers);
      return { alone: false, release: async () => undefined };
    },
    text: bucket.locate('x').slice(0, -2),
    async close() {
      bucket.close();
      if (spool !== undefined) await rm(await spool, { recursive: true, force: true });
    },
  };
}

async function locked(directory: string): Promise<() => Promise<void>> {
  let lock: NodeLock;
  try {
    lock = await acquireNodeLock(directory);
  } catch (error) {
    if (!(error instanceof StorageStartupError)) throw error;
    throw new BackupError(`${directory} is being written to by another backup`, { hint: 'wait until it has ended', cause: error });
  }
  return () => lock.release();
}

/** The same objects, whose folders are made when something is put there. */
function prepared(objects: ObjectStore, folders: PreparedFolders): ObjectStore {
  return withOperations(objects, {
    async put(key, bytes, condition) {
      await folders.ready(key);
      return objects.put(key, bytes, condition);
    },
  });
}
