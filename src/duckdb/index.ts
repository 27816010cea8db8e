export { CHUNK_ROWS, ChunkAppender, type EngineColumnType } from './chunk-appender.ts';
export { Engine, type EngineOptions, sqlIdentifier, sqlString } from './engine.ts';
