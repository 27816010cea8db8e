export { DirectoryObjectStore } from './directory-object-store.ts';
export { isObjectKey, type ObjectErrorCode, type ObjectStore, ObjectStoreError, type PutCondition } from './object-store.ts';
export { setAside } from './set-aside.ts';
