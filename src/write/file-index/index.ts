export type { LiveDelete, LiveFile } from './file-index.ts';
export { decodeFileIndex, encodeFileIndex, type IndexState, type StoredFileIndex } from './file-index-codec.ts';
export { INDEX_KEY } from './load-index.ts';
