/** What builds the query side. Protocols and parts that only ask import the contracts beside it, and load nothing of DuckDB. */
export { ColumnStore, DirectExecutor, SegmentLoader } from './columns/index.ts';
export { QueryExecutor } from './execute/executor.ts';
export { MemoryWatch } from './execute/memory-watch.ts';
export { floatColumn, InfluxqlExecutor, integerColumn, type MadeSeries, roughDuration, textColumn } from './influxql/index.ts';
export type { QueryService } from './query-service.ts';
export type { MadeColumn } from './results/index.ts';
export type { RelationColumn } from './sql/index.ts';
export {
  databasesTable,
  generationDurationsTable,
  influxdbSchemaTable,
  nodesTable,
  tablesTable,
  tokensTable,
} from './system-tables/catalog-tables.ts';
export { distinctCachesTable, lastCachesTable, parquetFilesTable } from './system-tables/data-tables.ts';
export { byBytes, QueryLog, queriesTable, type SystemTableProvider, SystemTables } from './system-tables/index.ts';
export {
  type PluginLogRow,
  pluginFilesTable,
  pluginLogsTable,
  triggerArgumentsTable,
  triggersTable,
} from './system-tables/trigger-tables.ts';
