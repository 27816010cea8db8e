import type {
  ColumnSchema,
  DatabaseSchema,
  SchemaAddition,
  SchemaTransaction,
  StagedTable,
  TableSchema,
} from '../../../../src/catalog/schema.ts';
import type { ColumnType } from '../../../../src/shared/column-type.ts';
import { InfluxError } from '../../../../src/shared/errors.ts';
import {
  LineParser,
  type LineParserOptions,
  type ParsedColumn,
  type ParsedTable,
  type ParsedWrite,
  type ParseOptions,
  type StringData,
} from '../../../../src/write/line-protocol/index.ts';
import { SeriesIndex } from '../../../../src/write/series/index.ts';

interface FakeTable extends TableSchema {
  readonly columns: ColumnSchema[];
  readonly columnByName: Map<string, ColumnSchema>;
  readonly seriesKey: ColumnSchema[];
}

/** A catalog of one database in memory, enough for the parser. */
export class FakeCatalog {
  readonly tables = new Map<string, FakeTable>();
  readonly series = new Map<TableSchema, SeriesIndex>();
  readonly maxTables: number;
  readonly maxColumns: number;

  constructor(limits: { maxTables?: number; maxColumns?: number } = {}) {
    this.maxTables = limits.maxTables ?? 1000;
    this.maxColumns = limits.maxColumns ?? 1000;
  }

  seriesOf(table: TableSchema): SeriesIndex {
    let series = this.series.get(table);
    if (series === undefined) {
      series = new SeriesIndex();
      this.series.set(table, series);
    }
    return series;
  }

  begin(): FakeTransaction {
    return new FakeTransaction(this);
  }

  commit(transaction: FakeTransaction): void {
    for (const [name, columns] of transaction.staged) {
      const table = this.tables.get(name) ?? this.create(name);
      for (const [column, type] of columns) this.addColumn(table, column, type);
    }
  }

  create(name: string): FakeTable {
    const table: FakeTable = {
      id: this.tables.size,
      databaseId: 0,
      name,
      columns: [],
      columnByName: new Map(),
      seriesKey: [],
      deleted: false,
      hardDeleteTimeNs: undefined,
      retentionPeriodNs: undefined,
    };
    this.tables.set(name, table);
    return table;
  }

  addColumn(table: FakeTable, name: string, type: ColumnType): void {
    const column = { id: table.columns.length, name, type };
    table.columns.push(column);
    table.columnByName.set(name, column);
    if (type === 'tag') table.seriesKey.push(column);
  }
}

export class FakeTransaction implements SchemaTransaction {
  readonly databaseName = 'db';
  readonly database: DatabaseSchema;
  readonly staged = new Map<string, Map<string, ColumnType>>();
  readonly #catalog: FakeCatalog;

  constructor(catalog: FakeCatalog) {
    this.#catalog = catalog;
    const { tables } = catalog;
    this.database = {
      id: 0,
      name: 'db',
      tables,
      deleted: false,
      hardDeleteTimeNs: undefined,
      retentionPeriodNs: undefined,
      defaultPolicy: undefined,
      shardDurationNs: undefined,
      replicas: undefined,
    };
  }

  get changed(): boolean {
    return this.staged.size > 0;
  }

  table(name: string): StagedTable | undefined {
    const committed = this.#catalog.tables.get(name);
    const staged = this.staged.get(name);
    if (committed === undefined && staged === undefined) return undefined;
    return { name, deleted: false, column: (column) => committed?.columnByName.get(column)?.type ?? staged?.get(column) };
  }

  stage(addition: SchemaAddition): StagedTable {
    const { tableName, newColumns } = addition;
    const committed = this.#catalog.tables.get(tableName);
    const staged = this.staged.get(tableName);
    if (committed === undefined && staged === undefined) {
      const count = this.#catalog.tables.size + [...this.staged.keys()].filter((name) => !this.#catalog.tables.has(name)).length;
      const limit = this.#catalog.maxTables;
      if (count >= limit) {
        throw schemaError(
          `Update to schema would exceed number of tables limit: attempted to create table but already have ${count} table(s) (limit: ${limit})`,
        );
      }
    }
    const columns = new Map([...(staged ?? []), ...newColumns.map(({ name, type }) => [name, type] as const)]);
    const counted = [...(committed?.columnByName.keys() ?? []), ...columns.keys()].filter((name) => name !== 'time');
    if (counted.length > this.#catalog.maxColumns) {
      throw schemaError(`Update to schema would exceed number of columns per table limit of ${this.#catalog.maxColumns} columns`);
    }
    this.staged.set(tableName, columns);
    return this.table(tableName) as StagedTable;
  }
}

function schemaError(message: string): InfluxError {
  return new InfluxError({ code: 'SCHEMA', message, status: 422 });
}

/** A value of a row as tests write it: bigint for integers, `u` for unsigned ones. */
export type Value = bigint | number | string | boolean | { u: bigint };
/** One parsed row in plain form. */
export interface Row {
  readonly table: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, Value>>;
  readonly timeNs: bigint;
}

export const INGEST_NS = 1_700_000_000_123_456_789n;
export const DEFAULTS: ParseOptions = { precision: 'nanosecond', acceptPartial: true, ingestTimeNs: INGEST_NS };

/** A parse with copies of its rows, which may be looked at after it. */
export interface OwnedWrite extends ParsedWrite<unknown> {
  readonly tables: readonly ParsedTable[];
}

/** A parser with its catalog; `write` does what the caller of the parser does. */
export class Harness {
  readonly catalog: FakeCatalog;
  readonly parser: LineParser;

  constructor(catalog: FakeCatalog = new FakeCatalog(), options: Partial<LineParserOptions> = {}) {
    this.catalog = catalog;
    this.parser = new LineParser({ seriesOf: (table) => catalog.seriesOf(table), ...options });
  }

  /** One pass over a body. */
  parse(body: Uint8Array, transaction: SchemaTransaction, options: Partial<ParseOptions> = {}): OwnedWrite {
    const parsed = this.parser.parse(body, transaction, { ...DEFAULTS, ...options }, (rows) => rows.value.map(ownedTable));
    return { ...parsed, tables: parsed.result ?? [] };
  }

  /** What a write costs the parser: as `write`, without a copy of the rows. Returns how many lines were accepted. */
  run(body: Uint8Array): number {
    return this.parser.parse(body, this.catalog.begin(), DEFAULTS, (rows) => rows.value.length).acceptedLines;
  }

  /** Parses, commits, parses again. Line errors of the first pass are those that clients see. */
  write(body: string | Uint8Array, options: Partial<ParseOptions> = {}): OwnedWrite {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const transaction = this.catalog.begin();
    const parsed = this.parse(bytes, transaction, options);
    if (!parsed.schemaChanged) return parsed;
    this.catalog.commit(transaction);
    const again = this.parse(bytes, this.catalog.begin(), options);
    return { ...again, lineErrors: parsed.lineErrors };
  }

  /** The rows of a body; its errors must be none. */
  rows(body: string | Uint8Array, options: Partial<ParseOptions> = {}): Row[] {
    const parsed = this.write(body, options);
    if (parsed.lineErrors.length > 0) throw new Error(`unexpected line error: ${JSON.stringify(parsed.lineErrors)}`);
    return rowsOf(parsed);
  }
}

/** The arrays of a lent table, copied. */
function ownedTable(table: ParsedTable): ParsedTable {
  const columns = table.columns.map(({ column, valid, nullCount, data }) => ({ column, nullCount, ...structuredClone({ valid, data }) }));
  return { ...table, columns, seriesIds: table.seriesIds.slice(), timesNs: table.timesNs.slice() };
}

/** All rows of a parse, table by table. */
export function rowsOf(parsed: OwnedWrite): Row[] {
  return parsed.tables.flatMap((table) => Array.from({ length: table.rowCount }, (_, row) => rowOf(table, row)));
}

function rowOf(table: ParsedTable, row: number): Row {
  const tags: Record<string, string> = {};
  table.series.forEachTag(table.seriesIds[row] as number, (columnId, value) => {
    tags[table.table.columns[columnId]?.name ?? `column ${columnId}`] = Buffer.from(value).toString('utf8');
  });
  const fields: Record<string, Value> = {};
  for (const column of table.columns) {
    const value = valueAt(column, row);
    if (value !== undefined) fields[column.column.name] = value;
  }
  return { table: table.table.name, tags, fields, timeNs: table.timesNs[row] as bigint };
}

function valueAt(column: ParsedColumn, row: number): Value | undefined {
  const isValid = (((column.valid[row >> 3] as number) >> (row & 7)) & 1) === 1;
  if (!isValid) return undefined;
  switch (column.column.type) {
    case 'string': {
      const { offsets, bytes } = column.data as StringData;
      return Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString('utf8');
    }
    case 'boolean':
      return (column.data as Uint8Array)[row] === 1;
    case 'uinteger':
      return { u: (column.data as BigUint64Array)[row] as bigint };
    case 'integer':
      return (column.data as BigInt64Array)[row] as bigint;
    default:
      return (column.data as Float64Array)[row] as number;
  }
}
