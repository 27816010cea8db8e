import { resolve } from 'node:path';
import {
  type BucketStore,
  DirectoryObjectStore,
  encodePathPart,
  filesBelow,
  nodeFileSystem,
  type ObjectEntry,
  type ObjectStore,
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
