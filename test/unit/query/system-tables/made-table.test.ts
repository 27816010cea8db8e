import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../../src/duckdb/index.ts';
import type { RelationColumn } from '../../../../src/query/sql/types/contract.ts';
import { MadeTables } from '../../../../src/query/system-tables/made-table.ts';
import type { Cell, RowSet } from '../../../../src/query/system-tables/rows-source.ts';
import { testEngine } from '../../../support/engine.ts';

const COLUMNS: readonly RelationColumn[] = [
  { name: 's', type: 'string' },
  { name: 'time', type: 'time' },
  { name: 'f', type: 'float' },
  { name: 'i', type: 'integer' },
  { name: 'u', type: 'uinteger' },
  { name: 'b', type: 'boolean' },
  { name: 'd', type: 'duration' },
  { name: 'n', type: 'int32' },
  { name: 'small', type: 'uint8' },
  { name: 'medium', type: 'uint32' },
];

function row(i: number): Cell[] {
  if (i % 5 === 4) return COLUMNS.map(() => null);
  const text = i % 2 === 0 ? `it's \0 "number" ${i} — ß` : '';
  return [
    text,
    BigInt(i),
    i / 8,
    -9223372036854775808n + BigInt(i),
    18446744073709551615n - BigInt(i),
    i % 3 === 0,
    1n,
    BigInt(i),
    255n,
    4294967295n,
  ];
}

async function read(engine: Engine, set: RowSet, wanted: readonly string[]): Promise<unknown[][]> {
  const physical = new Map(set.columns.map(({ name }) => [name, `${name}__1`]));
  const source = await new MadeTables().source(engine, set, new Set(wanted), physical);
  const connection = await engine.acquire();
  try {
    const columns = wanted.map((name) => (name === 'time' ? `epoch_ns("${name}__1")` : `"${name}__1"`)).join(', ');
    return (await connection.runAndReadAll(`SELECT ${columns} FROM ${source.sql} AS t`)).getRows();
  } finally {
    engine.release(connection);
    source.release();
  }
}

const plain = (cell: Cell): unknown => (typeof cell === 'bigint' ? String(cell) : cell);

for (const count of [0, 1, 7, 5000]) {
  test(`${count} rows come back as they were made, with every type and nulls`, async (t) => {
    const { engine } = await testEngine(t);
    const rows = Array.from({ length: count }, (_, i) => row(i));
    const found = await read(
      engine,
      { columns: COLUMNS, rows },
      COLUMNS.map(({ name }) => name),
    );
    const text = (cells: readonly unknown[]): unknown[] =>
      cells.map((cell) => (typeof cell === 'number' || typeof cell === 'bigint' ? String(cell) : cell));
    assert.deepEqual(
      found.map(text),
      rows.map((cells) => text(cells.map(plain))),
    );
  });
}

test('only the columns that are read are carried, and none are enough to count', async (t) => {
  const { engine } = await testEngine(t);
  const rows = Array.from({ length: 6000 }, (_, i) => row(i));
  const two = await read(engine, { columns: COLUMNS, rows }, ['n', 'b']);
  assert.equal(two.length, 6000);
  const source = await new MadeTables().source(engine, { columns: COLUMNS, rows }, new Set(), new Map());
  const connection = await engine.acquire();
  assert.equal(String((await connection.runAndReadAll(`SELECT count(*) FROM ${source.sql} AS t`)).getRows()[0]?.[0]), '6000');
  engine.release(connection);
});

test('the table of a large set is gone after its statement', async (t) => {
  const { engine } = await testEngine(t);
  const rows = Array.from({ length: 6000 }, (_, i) => row(i));
  const source = await new MadeTables().source(engine, { columns: COLUMNS, rows }, new Set(['n']), new Map());
  const connection = await engine.acquire();
  const tables = async (): Promise<number> =>
    (await connection.runAndReadAll("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'made%'")).currentRowCount;
  assert.equal(await tables(), 1);
  source.release();
  while ((await tables()) > 0);
  engine.release(connection);
});
