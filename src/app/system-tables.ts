import { type Catalog, INTERNAL_DATABASE, type TableSchema } from '../catalog/index.ts';
import type { TriggerLogRow } from '../processing/index.ts';
import {
  byBytes,
  databasesTable,
  distinctCachesTable,
  generationDurationsTable,
  influxdbSchemaTable,
  lastCachesTable,
  nodesTable,
  type PluginLogRow,
  parquetFilesTable,
  pluginFilesTable,
  pluginLogsTable,
  type QueryLog,
  queriesTable,
  type RelationColumn,
  type SystemTableProvider,
  tablesTable,
  tokensTable,
  triggerArgumentsTable,
  triggersTable,
} from '../query/index.ts';
import { type Telemetry, telemetryReportsTable } from '../telemetry/index.ts';
import type { OpenStorage } from './storage.ts';

export interface SystemTableSources {
  readonly storage: Pick<OpenStorage, 'catalog' | 'writes'>;
  readonly queryLog: QueryLog;
  readonly telemetry: Pick<Telemetry, 'ledger'>;
  readonly authEnabled: boolean;
  /** `--plugin-dir`. */
  readonly pluginDir: string | undefined;
  /** What triggers logged, oldest first; undefined database = all of them. */
  readonly pluginLogs: (database: string | undefined) => readonly TriggerLogRow[];
}

/** The `system` schema, from the server's own state. */
export function systemTableProviders(sources: SystemTableSources): SystemTableProvider[] {
  const { authEnabled, pluginDir, pluginLogs, queryLog, storage, telemetry } = sources;
  const { catalog, writes } = storage;
  return [
    queriesTable(queryLog),
    lastCachesTable(catalog),
    distinctCachesTable(catalog),
    parquetFilesTable(catalog, (table) => writes.store.parquetFiles(table)),
    influxdbSchemaTable(catalog),
    triggersTable(catalog),
    triggerArgumentsTable(catalog),
    pluginLogsTable((database) => pluginLogs(database).map(logRow)),
    databasesTable(catalog),
    tablesTable(catalog),
    nodesTable(catalog),
    generationDurationsTable(catalog),
    pluginFilesTable(catalog, pluginDir),
    tokensTable(catalog, authEnabled),
    { ...telemetryReportsTable(telemetry), listedIn: INTERNAL_DATABASE },
  ];
}

function logRow({ level, text, timeNs, trigger }: TriggerLogRow): PluginLogRow {
  return [timeNs, trigger, level, text];
}

/** User tables for the information schema; columns sorted by name. */
export function userTables(catalog: Catalog): (database: string) => Iterable<{ name: string; columns: readonly RelationColumn[] }> {
  return function* (database) {
    for (const table of catalog.database(database)?.tables.values() ?? []) yield { name: table.name, columns: sortedColumns(table) };
  };
}

function sortedColumns(table: TableSchema): RelationColumn[] {
  return table.columns.map(({ name, type }) => ({ name, type })).sort((a, b) => byBytes(a.name, b.name));
}
