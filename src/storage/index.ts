export {
  atomicWrite,
  CORRUPT_SUFFIX,
  createExclusive,
  keepAside,
  moveAside,
  removeTemporaryFiles,
  TEMPORARY_SUFFIX,
  unlinkIfPresent,
} from './atomic-write.ts';
export { errorText, type StartupErrorCode, StorageStartupError, systemErrorCode } from './errors.ts';
export { Fence, TakenOver } from './fence.ts';
export type { FileSystem, OpenFile, OpenHint } from './file-system.ts';
export { CachedFiles, type DataFile, type DataFiles, LocalFiles } from './files/index.ts';
export { nodesInDirectory } from './neighbours.ts';
export { nodeFileSystem, unsyncedFileSystem } from './node-file-system.ts';
export { acquireNodeLock, type NodeLock } from './node-lock.ts';
export {
  type AzureOptions,
  type BucketStore,
  type CheckpointFormat,
  Checkpoints,
  type ConnectionOptions,
  createKnown,
  DirectoryObjectStore,
  filesBelow,
  type GoogleOptions,
  invertedSequence,
  isObjectKey,
  LogPruning,
  type LogPruningOptions,
  type ObjectEntry,
  type ObjectErrorCode,
  type ObjectStore,
  ObjectStoreError,
  openAzureStore,
  openGoogleStore,
  PIECE_BYTES,
  PreparedFolders,
  type PutCondition,
  pauseBefore,
  piecesOf,
  probeStore,
  RequestCounts,
  readOnly,
  S3ObjectStore,
  type S3Options,
  sameBytes,
  sequenceOfInverted,
  setAside,
  withOperations,
} from './objects/index.ts';
export { encodePathPart } from './path-part.ts';
export { makeSpoolDirectory } from './spool-directory.ts';
export { type BucketParts, openStore, type Store, type StoreOptions } from './store.ts';
export { COPY_MARK_KEY } from './unfinished-copy.ts';
