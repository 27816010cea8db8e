export { CHUNK_ROWS, ChunkAppender, type EngineColumnType } from './chunk-appender.ts';
export { EngineConnection } from './connection.ts';
export { Engine, type EngineOptions, sqlIdentifier, sqlString } from './engine.ts';
export { engineFailed } from './failure.ts';
