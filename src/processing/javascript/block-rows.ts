import type { BlockColumn, BlockHead } from '../calls/blocks.ts';
import type { Column, QueryRow, Row, TableBatch, Value } from './plugin.ts';

/** How integers come out: as numbers where a double holds them exactly, or always as bigints. */
export type IntegerForm = 'number' | 'bigint';

type Read = (row: number) => Value | undefined;

interface DecodedColumn {
  readonly name: string;
  readonly kind: Column['type'];
  readonly read: Read;
  readonly values: () => Column['values'];
}

/** Walks through the bytes of blocks. */
class BlockReader {
  readonly #data: Uint8Array;
  #at = 0;

  constructor(data: Uint8Array) {
    // views of whole numbers need an offset that is a multiple of 8
    this.#data = data.byteOffset % 8 === 0 ? data : data.slice();
  }

  bytes(length: number): Uint8Array {
    const start = this.#at;
    this.#at += (length + 7) & ~7;
    return this.#data.subarray(start, start + length);
  }

  int32(count: number): Int32Array {
    return new Int32Array(this.#data.buffer, this.#start(count * 4), count);
  }

  uint32(count: number): Uint32Array {
    return new Uint32Array(this.#data.buffer, this.#start(count * 4), count);
  }

  int64(count: number): BigInt64Array {
    return new BigInt64Array(this.#data.buffer, this.#start(count * 8), count);
  }

  uint64(count: number): BigUint64Array {
    return new BigUint64Array(this.#data.buffer, this.#start(count * 8), count);
  }

  float64(count: number): Float64Array {
    return new Float64Array(this.#data.buffer, this.#start(count * 8), count);
  }

  #start(length: number): number {
    const start = this.#data.byteOffset + this.#at;
    this.#at += (length + 7) & ~7;
    return start;
  }
}

/** Tags of the series that came so far, by table and number. */
export class SeriesMemory {
  readonly #tables = new Map<number, Map<number, Readonly<Record<string, string>>>>();

  forgetAll(): void {
    this.#tables.clear();
  }

  table(key: number): Map<number, Readonly<Record<string, string>>> {
    let table = this.#tables.get(key);
    if (table === undefined) {
      table = new Map();
      this.#tables.set(key, table);
    }
    return table;
  }
}

/** Rows of a query. */
export function queryRows(heads: readonly BlockHead[], data: Uint8Array, form: IntegerForm): QueryRow[] {
  const reader = new BlockReader(data);
  const rows: QueryRow[] = [];
  for (const head of heads) {
    const columns = head.columns.map((column) => readColumn(column, head.rows, reader, form));
    for (let at = 0; at < head.rows; at++) {
      const row: QueryRow = {};
      for (const { name, read } of columns) row[name] = read(at) ?? null;
      rows.push(row);
    }
  }
  return rows;
}

/** Table batches of a write, in the order of their first blocks. Rows are made when they are read. */
export function tableBatches(heads: readonly BlockHead[], data: Uint8Array, memory: SeriesMemory, form: () => IntegerForm): TableBatch[] {
  const reader = new BlockReader(data);
  const tables = new Map<string, Block[]>();
  for (const head of heads) {
    const block = readBlock(head, reader, memory, form);
    const known = tables.get(block.table);
    if (known === undefined) tables.set(block.table, [block]);
    else known.push(block);
  }
  return [...tables].map(([tableName, blocks]) => new LazyBatch(tableName, blocks));
}

interface Block {
  readonly table: string;
  readonly rowCount: number;
  readonly tags: readonly Readonly<Record<string, string>>[];
  readonly columns: readonly DecodedColumn[];
  readonly times: BigInt64Array;
}

function readBlock({ rows, columns, wal }: BlockHead, reader: BlockReader, memory: SeriesMemory, form: () => IntegerForm): Block {
  if (wal === undefined) throw new Error('internal error: a block of a write has no table');
  if (wal.forget) memory.forgetAll();
  const series = memory.table(wal.seriesKey);
  readDefinitions(reader.bytes(wal.definitionBytes), wal.definitions, wal.tags, series);
  const ids = reader.int32(rows);
  const times = reader.int64(rows);
  const tags = Array.from(ids, (id) => {
    const known = series.get(id);
    if (known === undefined) throw new Error('internal error: a row has a series that was not told of');
    return known;
  });
  return { table: wal.table, rowCount: rows, tags, times, columns: columns.map((column) => readColumn(column, rows, reader, form)) };
}

function readDefinitions(
  bytes: Uint8Array,
  count: number,
  names: Readonly<Record<string, string>>,
  series: Map<number, Readonly<Record<string, string>>>,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const id = view.getUint32(at, true);
    const end = at + 8 + view.getUint32(at + 4, true);
    const tags: Record<string, string> = {};
    at += 8;
    while (at < end) {
      const name = names[String(view.getUint16(at, true))] ?? '';
      const length = view.getUint32(at + 2, true);
      tags[name] = texts.toString('utf8', at + 6, at + 6 + length);
      at += 6 + length;
    }
    series.set(id, tags);
  }
}

class LazyBatch implements TableBatch {
  readonly tableName: string;
  readonly rowCount: number;
  readonly #blocks: readonly Block[];
  #rows: Row[] | undefined;
  #columns: (readonly Column[])[] | undefined;

  constructor(tableName: string, blocks: readonly Block[]) {
    this.tableName = tableName;
    this.#blocks = blocks;
    this.rowCount = blocks.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  get rows(): Row[] {
    this.#rows ??= this.#blocks.flatMap(blockRows);
    return this.#rows;
  }

  get columns(): readonly (readonly Column[])[] {
    this.#columns ??= this.#blocks.map(blockColumns);
    return this.#columns;
  }
}

function blockRows({ columns, rowCount, tags, times }: Block): Row[] {
  const rows = new Array<Row>(rowCount);
  for (let at = 0; at < rowCount; at++) {
    const row: Row = { ...tags[at] };
    for (const { name, read } of columns) {
      const value = read(at);
      if (value !== undefined) row[name] = value;
    }
    row['time'] = times[at] as bigint;
    rows[at] = row;
  }
  return rows;
}

function blockColumns({ columns, rowCount, tags, times }: Block): Column[] {
  const tagNames = [...new Set(tags.flatMap((tag) => Object.keys(tag)))];
  return [
    ...tagNames.map(
      (name): Column => ({
        name,
        type: 'tag',
        values: tags.map((tag) => tag[name]),
        has: (row) => tags[row]?.[name] !== undefined,
      }),
    ),
    ...columns.map(
      ({ name, kind, read, values }): Column => ({
        name,
        type: kind,
        get values() {
          return values();
        },
        has: (row) => row >= 0 && row < rowCount && read(row) !== undefined,
      }),
    ),
    { name: 'time', type: 'time', values: times, has: (row) => row >= 0 && row < rowCount },
  ];
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

function integer(value: bigint, form: IntegerForm): number | bigint {
  return form === 'number' && value <= SAFE_MAX && value >= -SAFE_MAX ? Number(value) : value;
}

function readColumn(column: BlockColumn, rows: number, reader: BlockReader, form: IntegerForm | (() => IntegerForm)): DecodedColumn {
  const { name, valid } = column;
  const bits = valid ? reader.bytes((rows + 7) >> 3) : undefined;
  const { kind, read, values } = readValues(column, rows, reader, typeof form === 'string' ? () => form : form);
  if (bits === undefined) return { name, kind, read, values };
  return { name, kind, values, read: (row) => (((bits[row >> 3] as number) >> (row & 7)) & 1 ? read(row) : undefined) };
}

function readValues(column: BlockColumn, rows: number, reader: BlockReader, form: () => IntegerForm): Omit<DecodedColumn, 'name'> {
  const { texts = [], type } = column;
  switch (type) {
    case 'f64': {
      const data = reader.float64(rows);
      return { kind: 'float', read: (row) => data[row], values: () => data };
    }
    case 'i64': {
      const data = reader.int64(rows);
      return { kind: 'integer', read: (row) => integer(data[row] as bigint, form()), values: () => data };
    }
    case 'u64': {
      const data = reader.uint64(rows);
      return { kind: 'uinteger', read: (row) => integer(data[row] as bigint, form()), values: () => data };
    }
    case 'time': {
      const data = reader.int64(rows);
      return { kind: 'time', read: (row) => data[row], values: () => data };
    }
    case 'bool': {
      const data = reader.bytes(rows);
      return listed('boolean', rows, (row) => data[row] === 1);
    }
    case 'str': {
      const offsets = reader.uint32(rows + 1);
      const bytes = reader.bytes(offsets[rows] ?? 0);
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return listed('string', rows, (row) => text.toString('utf8', offsets[row], offsets[row + 1]));
    }
    case 'dict': {
      const codes = reader.int32(rows);
      return listed('string', rows, (row) => texts[codes[row] as number]);
    }
    case 'int': {
      const codes = reader.int32(rows);
      const numbers = texts.map(BigInt);
      return listed('integer', rows, (row) => {
        const value = numbers[codes[row] as number];
        return value === undefined ? undefined : integer(value, form());
      });
    }
    case 'null':
      return listed('string', rows, () => undefined);
  }
}

function listed(kind: Column['type'], rows: number, read: Read): Omit<DecodedColumn, 'name'> {
  return { kind, read, values: () => Array.from({ length: rows }, (_, row) => read(row)) };
}
