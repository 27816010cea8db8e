export type { LiveDelete, LiveFile } from './file-index.ts';
export { decodeFileIndex, encodeFileIndex, type IndexState, type StoredFileIndex } from './file-index-codec.ts';
export { INDEX_KEY, knownCatalogSequence, type LoadedIndex, loadIndex } from './load-index.ts';
export { pendingPaths } from './pending-files.ts';
