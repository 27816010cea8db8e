import { CHUNK_ROWS, type ChunkAppender, type Engine, type EngineColumnType } from '../../duckdb/index.ts';
import { nextTurn } from '../../shared/timers.ts';
import type { RelationColumn } from '../sql/types/contract.ts';
import { type Cell, cellType, type PickedColumn, pickColumns, type RowSet, rowsSource } from './rows-source.ts';

/** Cells that a statement carries as literals. Above that, parsing them costs more than a table in DuckDB. */
const LITERAL_CELLS_MAX = 4000;

/** Engine chunks filled before other work gets a turn. */
const CHUNKS_PER_TURN = 8;

/** What stands for a made table in a statement. */
export interface MadeSource {
  /** Parenthesised query. */
  readonly sql: string;
  /** Call once, when the statement has ended. */
  release(): void;
}

/** Brings tables that the server makes into DuckDB: small ones as literals, large ones as tables of its own. */
export class MadeTables {
  #names = 0;

  /**
   * @param wanted columns that the statement reads
   * @param physical names under which it reads them
   */
  async source(engine: Engine, set: RowSet, wanted: ReadonlySet<string>, physical: ReadonlyMap<string, string>): Promise<MadeSource> {
    const picked = pickColumns(set.columns, wanted, physical);
    const types = picked.map(({ column }) => storedType(column));
    if (set.rows.length * picked.length <= LITERAL_CELLS_MAX || !types.every((type) => type !== undefined)) {
      return { sql: rowsSource(set, picked), release: () => undefined };
    }
    const name = `made_${this.#names++}`;
    await engine.run(`CREATE TABLE ${name} (${picked.map(({ column, name: as }) => `${as} ${storedSqlType(column)}`).join(', ')})`);
    const release = (): void => {
      engine.run(`DROP TABLE ${name}`).catch(() => undefined); // DuckDB was closed, and the table with it
    };
    try {
      await fill(engine, name, set, picked, types);
    } catch (error) {
      release();
      throw error;
    }
    const columns = picked.map(({ column, name: as }) => `CAST(${as} AS ${cellType(column)}) AS ${as}`);
    return { sql: `(SELECT ${columns.join(', ')} FROM ${name})`, release };
  }
}

async function fill(
  engine: Engine,
  table: string,
  set: RowSet,
  picked: readonly PickedColumn[],
  types: readonly EngineColumnType[],
): Promise<void> {
  const appender = engine.appender(table, types);
  try {
    for (let from = 0, chunks = 1; from < set.rows.length; from += CHUNK_ROWS, chunks++) {
      const rows = set.rows.slice(from, from + CHUNK_ROWS);
      picked.forEach(({ index }, column) => {
        fillColumn(appender, column, types[column] as EngineColumnType, rows, index);
      });
      appender.advance(rows.length);
      if (appender.flushDue) appender.flush();
      if (chunks % CHUNKS_PER_TURN === 0) await nextTurn();
    }
    appender.close();
  } catch (error) {
    appender.discard();
    throw error;
  }
}

function fillColumn(
  appender: ChunkAppender,
  column: number,
  type: EngineColumnType,
  rows: readonly (readonly Cell[])[],
  index: number,
): void {
  const valid = new Uint8Array((rows.length + 7) >> 3);
  let nulls = 0;
  rows.forEach((row, i) => {
    if (row[index] === null || row[index] === undefined) nulls++;
    else valid[i >> 3] = (valid[i >> 3] as number) | (1 << (i & 7));
  });
  if (type === 'varchar') fillStrings(appender, column, rows, index);
  else appender.fixed(column, fixedBytes(type, rows, index), 0, rows.length);
  if (nulls > 0) appender.nulls(column, valid, 0, rows.length);
}

function fillStrings(appender: ChunkAppender, column: number, rows: readonly (readonly Cell[])[], index: number): void {
  const parts = rows.map((row) => Buffer.from((row[index] as string | null) ?? ''));
  const offsets = new Uint32Array(rows.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = (offsets[i] as number) + part.length;
  });
  appender.strings(column, offsets, Buffer.concat(parts), 0, rows.length);
}

function fixedBytes(type: EngineColumnType, rows: readonly (readonly Cell[])[], index: number): Uint8Array {
  if (type === 'boolean') return Uint8Array.from(rows, (row) => (row[index] === true ? 1 : 0));
  const cells =
    type === 'double'
      ? Float64Array.from(rows, (row) => (row[index] as number | null) ?? 0)
      : type === 'integer'
        ? Int32Array.from(rows, (row) => Number(row[index] ?? 0))
        : BigInt64Array.from(rows, (row) => BigInt.asIntN(64, (row[index] as bigint | null) ?? 0n));
  return new Uint8Array(cells.buffer);
}

/** Undefined = only literals carry such cells. */
function storedType(column: RelationColumn): EngineColumnType | undefined {
  switch (column.type) {
    case 'tag':
    case 'string':
      return 'varchar';
    case 'time':
    case 'time_ms':
    case 'time_s_utc':
      return 'timestamp_ns';
    case 'float':
      return 'double';
    case 'integer':
    case 'duration':
      return 'bigint';
    case 'uinteger':
    case 'uint8':
    case 'uint32':
      return 'ubigint';
    case 'int32':
      return 'integer';
    case 'boolean':
      return 'boolean';
    case 'date':
    case 'list_string':
    case 'list_uint16':
    case 'list_uint64':
      return undefined;
  }
}

function storedSqlType(column: RelationColumn): string {
  return column.type === 'uint8' || column.type === 'uint32' ? 'UBIGINT' : cellType(column);
}
