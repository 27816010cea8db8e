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
export type { FileSystem, OpenFile, OpenHint } from './file-system.ts';
export { nodesInDirectory } from './neighbours.ts';
export { nodeFileSystem, unsyncedFileSystem } from './node-file-system.ts';
export { acquireNodeLock, type NodeLock } from './node-lock.ts';
export {
  DirectoryObjectStore,
  isObjectKey,
  type ObjectErrorCode,
  type ObjectStore,
  ObjectStoreError,
  type PutCondition,
  setAside,
} from './objects/index.ts';
export { encodePathPart } from './path-part.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
