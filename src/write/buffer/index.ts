export { chunkStart } from './chunk-times.ts';
export type {
  ChunkRows,
  Generation,
  GenerationFollower,
  GenerationMoment,
  GenerationSource,
  ReadableGeneration,
} from './generation.ts';
export { bufferColumn, engineType, type FieldColumn, type TablePart } from './generation-table.ts';
export type { BufferMoment, BufferView, TableBuffer } from './table-buffer.ts';
export { type AppliedListener, WriteBuffer, type WriteBufferOptions } from './write-buffer.ts';
