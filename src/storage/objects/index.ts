export { type AzureOptions, openAzureStore } from './azure-service.ts';
export { type CheckpointFormat, Checkpoints, invertedSequence, sequenceOfInverted } from './checkpoints.ts';
export type { ConnectionOptions } from './connection-options.ts';
export { createKnown, sameBytes } from './create-known.ts';
export { DirectoryObjectStore } from './directory-object-store.ts';
export { filesBelow } from './files-below.ts';
export { type GoogleOptions, openGoogleStore } from './google-service.ts';
export { LogPruning, type LogPruningOptions } from './log-pruning.ts';
export {
  type BucketStore,
  isObjectKey,
  type ObjectEntry,
  type ObjectErrorCode,
  type ObjectStore,
  ObjectStoreError,
  type PutCondition,
  RequestCounts,
} from './object-store.ts';
export { PIECE_BYTES, piecesOf } from './pieces.ts';
export { PreparedFolders } from './prepared-folders.ts';
export { probeStore } from './probe.ts';
export { readOnly } from './read-only.ts';
export { pauseBefore } from './retries.ts';
export { S3ObjectStore, type S3Options } from './s3-object-store.ts';
export { setAside } from './set-aside.ts';
export { withOperations } from './with-operations.ts';
