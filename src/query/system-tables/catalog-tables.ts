import { type Catalog, INTERNAL_DATABASE } from '../../catalog/index.ts';
import { MS_NS, SECOND_NS } from '../../shared/time-units.ts';
import { permissionsText } from '../../shared/token-permissions.ts';
import type { RelationColumn } from '../sql/types/contract.ts';
import { byBytes, type Cell, type SystemTableProvider } from './index.ts';

/** `system.influxdb_schema`: every column of every table. */
export function influxdbSchemaTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'influxdb_schema',
    columns: ['measurement', 'key', 'data_type'].map(view),
    rows: (database) =>
      [...(catalog.database(database)?.tables.values() ?? [])].flatMap((table) =>
        [...table.columns].sort((a, b) => byBytes(a.name, b.name)).map(({ name, type }) => [table.name, name, type]),
      ),
  };
}

/** `system.databases`, deleted ones included until they are gone (2.1). */
export function databasesTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'databases',
    onlyIn: INTERNAL_DATABASE,
    columns: [view('database_name'), { name: 'retention_period_ns', type: 'uinteger' }, required('deleted', 'boolean'), HARD_DELETION],
    rows: () =>
      [...catalog.databases()].map(({ name, retentionPeriodNs, deleted, hardDeleteTimeNs }) => [
        name,
        retentionPeriodNs ?? null,
        deleted,
        wholeSeconds(hardDeleteTimeNs),
      ]),
  };
}

/** `system.tables`: user tables of all databases (2.2). */
export function tablesTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'tables',
    onlyIn: INTERNAL_DATABASE,
    columns: [
      view('database_name'),
      view('table_name'),
      required('column_count', 'uinteger'),
      view('series_key_columns'),
      required('last_cache_count', 'uinteger'),
      required('distinct_cache_count', 'uinteger'),
      required('deleted', 'boolean'),
      HARD_DELETION,
    ],
    rows() {
      const rows: Cell[][] = [];
      for (const database of catalog.databases()) {
        for (const table of database.tables.values()) {
          rows.push([
            database.name,
            table.name,
            BigInt(table.columns.length),
            table.seriesKey.map((column) => column.name).join(', '),
            BigInt([...catalog.lastCaches(table)].length),
            BigInt([...catalog.distinctCaches(table)].length),
            table.deleted,
            wholeSeconds(table.hardDeleteTimeNs),
          ]);
        }
      }
      return rows;
    },
  };
}

/** `system.nodes` (2.3). Secrets in `cli_params` were masked when the node was registered. */
export function nodesTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'nodes',
    onlyIn: INTERNAL_DATABASE,
    columns: [
      view('node_id'),
      required('node_catalog_id', 'uint32'),
      view('instance_id'),
      { name: 'mode', type: 'list_string', required: true, arrowType: 'List(Utf8View)' },
      required('core_count', 'uinteger'),
      view('state'),
      { name: 'updated_at', type: 'time_ms' },
      { name: 'cli_params', type: 'string', arrowType: 'Utf8View' },
    ],
    rows: () =>
      [...catalog.nodes()].map((node) => [
        node.nodeId,
        BigInt(node.id),
        node.instanceId,
        node.mode,
        BigInt(node.cores),
        node.state,
        milliseconds(node.updatedAtMs),
        node.cliParams ?? null,
      ]),
  };
}

/** `system.generation_durations`: the one level of Core (2.4). */
export function generationDurationsTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'generation_durations',
    onlyIn: INTERNAL_DATABASE,
    columns: [required('level', 'uint8'), required('duration_seconds', 'uinteger')],
    rows: () => (catalog.gen1DurationSecs === undefined ? [] : [[1n, BigInt(catalog.gen1DurationSecs)]]),
  };
}

/** `system.tokens` (2.6): never a token, never a whole hash. */
export function tokensTable(catalog: Catalog, authEnabled: boolean): SystemTableProvider {
  const columns: RelationColumn[] = [
    required('token_id', 'uinteger'),
    view('name'),
    view('hash'),
    required('created_at', 'time_ms'),
    { name: 'description', type: 'string', arrowType: 'Utf8View' },
    { name: 'created_by_token_id', type: 'uinteger' },
    { name: 'updated_at', type: 'time_ms' },
    { name: 'updated_by_token_id', type: 'uinteger' },
    { name: 'expiry', type: 'time_ms' },
    view('permissions'),
  ];
  // compat: without authentication the column does not exist
  const shown = columns.map(({ name }) => authEnabled || name !== 'hash');
  return {
    name: 'tokens',
    onlyIn: INTERNAL_DATABASE,
    columns: columns.filter((_, i) => shown[i]),
    rows: () =>
      catalog.tokens().map((token) => {
        const cells: Cell[] = [
          BigInt(token.id),
          token.name,
          token.hash.slice(0, SHOWN_HASH_DIGITS),
          milliseconds(token.createdAtMs),
          token.description ?? null,
          id(token.createdById),
          milliseconds(token.updatedAtMs),
          id(token.updatedById),
          milliseconds(token.expiryMs),
          permissionsText(token.permissions),
        ];
        return cells.filter((_, i) => shown[i]);
      }),
  };
}

const SHOWN_HASH_DIGITS = 9;

/** A text column that InfluxDB 3 Core gives as a view type. */
export function view(name: string): RelationColumn {
  return { name, type: 'string', required: true, arrowType: 'Utf8View' };
}

/** A column that is never null. */
export function required(name: string, type: RelationColumn['type']): RelationColumn {
  return { name, type, required: true };
}

const HARD_DELETION: RelationColumn = { name: 'hard_deletion_time', type: 'time_s_utc' };

function wholeSeconds(timeNs: bigint | undefined): bigint | null {
  return timeNs === undefined ? null : timeNs - (timeNs % SECOND_NS);
}

/** Times that 64 bits of nanoseconds cannot hold are shown as the last one that they can. */
function milliseconds(timeMs: number | undefined): bigint | null {
  if (timeMs === undefined) return null;
  const timeNs = BigInt(timeMs) * MS_NS;
  return timeNs > TIME_NS_MAX ? TIME_NS_MAX : timeNs;
}

const TIME_NS_MAX = 9_223_372_036_854_000_000n;

function id(value: number | undefined): bigint | null {
  return value === undefined ? null : BigInt(value);
}
