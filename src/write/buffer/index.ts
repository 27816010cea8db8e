export { chunkStart } from './chunk-times.ts';
export { bufferColumn, type ChunkRows, engineType, type FieldColumn, type Generation, type GenerationFollower } from './generation.ts';
export type { BufferView, TableBuffer } from './table-buffer.ts';
export { type AppliedListener, WriteBuffer, type WriteBufferOptions } from './write-buffer.ts';
