export { CHUNK_ROWS, ChunkAppender, type EngineColumnType } from './chunk-appender.ts';
export { EngineConnection } from './connection.ts';
export { Engine, type EngineOptions, sqlIdentifier, sqlString } from './engine.ts';
export { engineFailed } from './failure.ts';
export { timeBefore, timeFrom, timeUntil } from './time-conditions.ts';
export { uniqueNames } from './unique-names.ts';
