import type { QueryService } from '../../../query/query-service.ts';
import type { QueryResult, ResultColumn } from '../../../query/result.ts';
import { arrowSchema, BYTES, INT32, type MadeColumn, madeResult, TEXT, textAt } from '../../../query/results/index.ts';
import { encapsulated, schemaMessage } from '../../../shared/arrow/schema-message.ts';
import type { ColumnType } from '../../../shared/column-type.ts';
import type { SqlCommand, TablesCommand } from './commands.ts';
import { isLike } from './like.ts';

/** The only catalog. */
const CATALOG = 'public';

/** What metadata is asked of. */
export interface MetadataSource {
  readonly queryService: QueryService;
  readonly database: string;
  readonly signal: AbortSignal;
  /** What tables are called that are no views. */
  readonly baseTableType: string;
}

type MetadataCommand = Extract<SqlCommand, { kind: 'catalogs' | 'table-types' | 'primary-keys' | 'foreign-keys' | 'schemas' | 'tables' }>;

/** Rows of a metadata command. `describe` = the columns are enough. */
export async function metadataRows(command: MetadataCommand, source: MetadataSource, describe: boolean): Promise<QueryResult> {
  switch (command.kind) {
    case 'catalogs':
      return madeResult([required('catalog_name', [CATALOG])]);
    case 'table-types':
      return madeResult([required('table_type', [source.baseTableType, 'VIEW'].sort())]);
    case 'primary-keys':
      return madeResult([
        ...names('catalog_name', 'db_schema_name'),
        ...keyNames('table_name', 'column_name'),
        ...names('key_name'),
        sequence(),
      ]);
    case 'foreign-keys':
      return madeResult(foreignKeys());
    case 'schemas': {
      const all = describe
        ? []
        : await texts(source, 'CommandGetDbSchemas', 'SELECT DISTINCT table_schema FROM information_schema.tables', 1);
      const found = all.map(([name]) => name as string).filter((name) => fits(command, name));
      found.sort(byCode);
      return madeResult([{ name: 'catalog_name', type: TEXT, values: found.map(() => CATALOG) }, required('db_schema_name', found)]);
    }
    case 'tables':
      return describe ? tableRows(command, [], []) : tables(command, source);
  }
}

interface TableName {
  readonly schema: string;
  readonly table: string;
  readonly type: string;
}

async function tables(command: TablesCommand, source: MetadataSource): Promise<QueryResult> {
  const sql = 'SELECT table_schema, table_name, table_type FROM information_schema.tables';
  const all = await texts(source, 'CommandGetTables', sql, 3);
  const found = all
    .map(([schema, table, type]): TableName => {
      return { schema: schema as string, table: table as string, type: type === 'VIEW' ? 'VIEW' : source.baseTableType };
    })
    .filter(({ schema, table, type }) => fits(command, schema) && matches(table, command.tablePattern) && isOf(type, command.types))
    .sort((a, b) => byCode(a.schema, b.schema) || byCode(a.table, b.table));
  return tableRows(command, found, command.includeSchema ? await schemas(found, source) : []);
}

function tableRows(command: TablesCommand, found: readonly TableName[], schemas: readonly Uint8Array[]): QueryResult {
  const columns: MadeColumn[] = [
    { name: 'catalog_name', type: TEXT, values: found.map(() => CATALOG) },
    { name: 'db_schema_name', type: TEXT, values: found.map(({ schema }) => schema) },
    required(
      'table_name',
      found.map(({ table }) => table),
    ),
    required(
      'table_type',
      found.map(({ type }) => type),
    ),
  ];
  if (command.includeSchema) columns.push({ name: 'table_schema', type: BYTES, required: true, values: schemas });
  return madeResult(columns);
}

/** The schema message of each table. Those of user tables come from one query; the others are few, and are described. */
async function schemas(found: readonly TableName[], source: MetadataSource): Promise<Uint8Array[]> {
  const stored = await storedColumns(source);
  const messages: Uint8Array[] = [];
  for (const { schema, table } of found) {
    const columns = schema === 'iox' ? stored.get(table) : undefined;
    messages.push(encapsulated(schemaMessage(arrowSchema(columns ?? (await described(schema, table, source))))));
  }
  return messages;
}

async function storedColumns(source: MetadataSource): Promise<ReadonlyMap<string, ResultColumn[]>> {
  const sql =
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox' ORDER BY table_name, ordinal_position";
  const tables = new Map<string, ResultColumn[]>();
  for (const [table, name, dataType] of await texts(source, 'CommandGetTables', sql, 3)) {
    const columns = tables.get(table as string) ?? [];
    columns.push(storedColumn(name as string, dataType as string));
    tables.set(table as string, columns);
  }
  return tables;
}

const STORED: Readonly<Record<string, readonly [ColumnType, ResultColumn['type']]>> = {
  'Timestamp(ns)': ['time', { kind: 'timestamp', zone: undefined }],
  Float64: ['float', { kind: 'float64' }],
  Int64: ['integer', { kind: 'int64' }],
  UInt64: ['uinteger', { kind: 'uint64' }],
  Utf8: ['string', { kind: 'string', dictionary: false }],
  Boolean: ['boolean', { kind: 'boolean' }],
};

function storedColumn(name: string, dataType: string): ResultColumn {
  const [stored, type] = STORED[dataType] ?? ['tag', { kind: 'string', dictionary: true }];
  return { name, type, stored, required: stored === 'time' };
}

async function described(schema: string, table: string, source: MetadataSource): Promise<readonly ResultColumn[]> {
  const query = `SELECT * FROM "${schema}"."${table.replaceAll('"', '""')}"`;
  const { columns } = await source.queryService.describe({ database: source.database, query, params: new Map(), signal: source.signal });
  return columns;
}

/** Rows of a query whose columns are texts. */
async function texts(source: MetadataSource, command: string, query: string, count: number): Promise<(string | null)[][]> {
  const { queryService, database, signal } = source;
  const result = await queryService.sql({ database, query, params: new Map(), kind: 'flightsql', loggedText: command, signal });
  const rows: (string | null)[][] = [];
  for await (const { columns, rowCount } of result.batches()) {
    for (let row = 0; row < rowCount; row++) rows.push(Array.from({ length: count }, (_, i) => textAt(columns[i], row)));
  }
  return rows;
}

function fits({ catalog, schemaPattern }: { catalog: string | undefined; schemaPattern: string | undefined }, schema: string): boolean {
  return (catalog === undefined || catalog === CATALOG) && matches(schema, schemaPattern);
}

function matches(name: string, pattern: string | undefined): boolean {
  return pattern === undefined || isLike(name, pattern);
}

function isOf(type: string, types: readonly string[]): boolean {
  return types.length === 0 || types.includes(type);
}

function byCode(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function required(name: string, values: readonly string[]): MadeColumn {
  return { name, type: TEXT, required: true, values };
}

function names(...all: readonly string[]): MadeColumn[] {
  return all.map((name) => ({ name, type: TEXT, values: [] }));
}

function keyNames(...all: readonly string[]): MadeColumn[] {
  return all.map((name) => required(name, []));
}

function sequence(): MadeColumn {
  return { name: 'key_sequence', type: INT32, required: true, values: [] };
}

/** There are no keys. */
function foreignKeys(): MadeColumn[] {
  const side = (which: string): MadeColumn[] => [
    ...names(`${which}_catalog_name`, `${which}_db_schema_name`),
    ...keyNames(`${which}_table_name`, `${which}_column_name`),
  ];
  const rules = ['update_rule', 'delete_rule'].map((name): MadeColumn => ({ name, type: { kind: 'uint8' }, required: true, values: [] }));
  return [...side('pk'), ...side('fk'), sequence(), ...names('fk_key_name', 'pk_key_name'), ...rules];
}
