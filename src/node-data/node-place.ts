import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type BucketStore,
  DirectoryObjectStore,
  encodePathPart,
  nodeFileSystem,
  type ObjectEntry,
  type ObjectStore,
  systemErrorCode,
} from '../storage/index.ts';

/** Where a node keeps its data, looked at from outside of a server. */
export interface NodePlace {
  readonly nodeId: string;
  /** First part of the paths of Parquet files. */
  readonly prefix: string;
  /** What lies below `<node-id>/`. */
  readonly objects: ObjectStore;
  /** Undefined = a directory. */
  readonly bucket: BucketStore | undefined;
  /** The directory of a node; undefined = a bucket. */
  readonly directory: string | undefined;
  /** All objects, with sizes and times. */
  entries(): AsyncIterable<ObjectEntry>;
  /** How people find it. */
  readonly text: string;
  close(): void;
}

/** The place of a node in a bucket; `open` opens it below a prefix. */
export async function bucketPlace(nodeId: string, open: (prefix: string) => Promise<BucketStore>): Promise<NodePlace> {
  const prefix = encodePathPart(nodeId);
  const bucket = await open(`${prefix}/`);
  return {
    nodeId,
    prefix,
    objects: bucket,
    bucket,
    directory: undefined,
    entries: () => bucket.entries(''),
    text: bucket.locate('x').slice(0, -2),
    close: () => bucket.close(),
  };
}

/** The directory of a node, which need not exist. */
export function directoryPlace(nodeId: string, dataDir: string): NodePlace {
  const prefix = encodePathPart(nodeId);
  const directory = resolve(dataDir, prefix);
  return {
    nodeId,
    prefix,
    objects: new DirectoryObjectStore(nodeFileSystem, directory),
    bucket: undefined,
    directory,
    entries: () => filesBelow(directory, ''),
    text: directory,
    close: () => undefined,
  };
}

/** All files of a directory, hidden ones too. What goes while it is listed is left out. */
async function* filesBelow(directory: string, folder: string): AsyncGenerator<ObjectEntry> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch(nothingThere<[]>([]));
  for (const entry of entries) {
    const key = folder + entry.name;
    if (entry.isDirectory()) yield* filesBelow(directory, `${key}/`);
    if (!entry.isFile()) continue;
    const found = await stat(join(directory, key)).catch(nothingThere(undefined));
    if (found !== undefined) yield { key, sizeBytes: found.size, modifiedMs: found.mtimeMs };
  }
}

function nothingThere<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (systemErrorCode(error) === 'ENOENT') return value;
    throw error;
  };
}
