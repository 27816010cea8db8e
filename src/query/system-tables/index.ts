export type { CacheFunctions, CacheRelation } from './cache-functions.ts';
export { LoggedResult } from './logged-result.ts';
export { MadeTables } from './made-table.ts';
export { type LoggedQuery, type QueryKind, QueryLog, type QueryLogEntry, queriesTable } from './query-log.ts';
export type { Cell, RowSet } from './rows-source.ts';
export { byBytes, type SystemTableProvider, SystemTables } from './system-tables.ts';
