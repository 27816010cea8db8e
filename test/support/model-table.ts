import type { ColumnSchema, TableSchema } from '../../src/catalog/schema.ts';
import type { ColumnType } from '../../src/shared/column-type.ts';
import type { ParsedColumn, ParsedTable } from '../../src/write/line-protocol/parsed-write.ts';
import type { SeriesIndex } from '../../src/write/series/index.ts';

/** A value as tests write it. */
export type TestValue = number | bigint | string | boolean;

/** A row as tests write it: tags and fields by name. */
export interface TestRow {
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, TestValue>>;
  readonly timeNs: bigint;
}

/** A table schema made by hand; ids in the order given. */
export function testTable(columns: readonly (readonly [string, ColumnType])[], id = 0, databaseId = 1): TableSchema {
  const schemas: ColumnSchema[] = columns.map(([name, type], index) => ({ id: index, name, type }));
  return {
    id,
    databaseId,
    name: `t${id}`,
    columns: schemas,
    columnByName: new Map(schemas.map((column) => [column.name, column])),
    seriesKey: schemas.filter((column) => column.type === 'tag'),
    deleted: false,
    hardDeleteTimeNs: undefined,
    retentionPeriodNs: undefined,
  };
}

/** Rows in the form that the parser produces. */
export function parsedTable(table: TableSchema, series: SeriesIndex, rows: readonly TestRow[]): ParsedTable {
  const times = BigInt64Array.from(rows.map((row) => row.timeNs));
  const seriesIds = Int32Array.from(
    rows.map((row) => {
      const canonical = canonicalSeries(table, row.tags);
      return series.intern(canonical, 0, canonical.length);
    }),
  );
  const columns: ParsedColumn[] = [];
  for (const column of table.columns) {
    if (column.type === 'tag' || column.type === 'time') continue;
    const values = rows.map((row) => row.fields[column.name]);
    if (values.some((value) => value !== undefined)) columns.push(parsedColumn(column, values));
  }
  let minTimeNs = times[0] as bigint;
  let maxTimeNs = minTimeNs;
  for (const time of times) {
    if (time < minTimeNs) minTimeNs = time;
    if (time > maxTimeNs) maxTimeNs = time;
  }
  return { table, series, rowCount: rows.length, seriesIds, timesNs: times, minTimeNs, maxTimeNs, columns };
}

/** Canonical bytes of a series: u16 column id, u32 length, bytes, ascending by id. */
export function canonicalSeries(table: TableSchema, tags: Readonly<Record<string, string>>): Uint8Array {
  const parts: Buffer[] = [];
  for (const column of table.seriesKey) {
    const value = tags[column.name];
    if (value === undefined) continue;
    const bytes = Buffer.from(value, 'utf8');
    const head = Buffer.alloc(6);
    head.writeUInt16LE(column.id, 0);
    head.writeUInt32LE(bytes.length, 2);
    parts.push(head, bytes);
  }
  return Buffer.concat(parts);
}

function parsedColumn(column: ColumnSchema, values: readonly (TestValue | undefined)[]): ParsedColumn {
  const valid = new Uint8Array((values.length + 7) >> 3);
  let nullCount = 0;
  values.forEach((value, row) => {
    if (value === undefined) nullCount++;
    else valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
  });
  switch (column.type) {
    case 'float':
      return { column, valid, nullCount, data: Float64Array.from(values.map((value) => (value as number) ?? 0)) };
    case 'integer':
      return { column, valid, nullCount, data: BigInt64Array.from(values.map((value) => (value as bigint) ?? 0n)) };
    case 'uinteger':
      return { column, valid, nullCount, data: BigUint64Array.from(values.map((value) => (value as bigint) ?? 0n)) };
    case 'boolean':
      return { column, valid, nullCount, data: Uint8Array.from(values.map((value) => (value === true ? 1 : 0))) };
    default: {
      const texts = values.map((value) => Buffer.from((value as string) ?? '', 'utf8'));
      const offsets = new Uint32Array(values.length + 1);
      texts.forEach((text, row) => {
        offsets[row + 1] = (offsets[row] as number) + text.length;
      });
      return { column, valid, nullCount, data: { offsets, bytes: Buffer.concat(texts) } };
    }
  }
}

/** The rows that a correct store shows: one per key, each field its newest non-null value. */
export class ModelTable {
  readonly #rows = new Map<string, TestRow>();

  write(row: TestRow): void {
    const key = `${row.timeNs} ${JSON.stringify(Object.entries(row.tags).sort())}`;
    const known = this.#rows.get(key);
    this.#rows.set(key, known === undefined ? row : { ...row, fields: { ...known.fields, ...row.fields } });
  }

  /** Takes out the rows that match. */
  delete(matches: (row: TestRow) => boolean): void {
    for (const [key, row] of this.#rows) if (matches(row)) this.#rows.delete(key);
  }

  /** In the order in which their keys came. */
  rows(): Iterable<TestRow> {
    return this.#rows.values();
  }

  /** One text per row, sorted: `time|tag=value,..|field=value,..` with nulls left out. */
  lines(): string[] {
    return [...this.#rows.values()].map(modelLine).sort();
  }
}

/** Canonical text of a row, for comparison. */
export function modelLine(row: TestRow): string {
  const cells = (record: Readonly<Record<string, TestValue>>): string =>
    Object.entries(record)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(',');
  return `${row.timeNs}|${cells(row.tags)}|${cells(row.fields)}`;
}
