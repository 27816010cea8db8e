// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableSchema } from '../../../../src/catalog/schema.ts';
import { Engine } from '../../../../src/duckdb/index.ts';
import { InfluxError } from '../../../../src/shared/errors.ts';
import { encodeBatch, SeriesDefinitions } from '../../../../src/write/batch/index.ts';
import type { WriteBuffer } from '../../../../src/write/buffer/index.ts';
import { tableScanSql } from '../../../../src/write/scan/index.ts';
import { readRows, testEngine } from '../../../support/engine.ts';
import { EngineFaults, type FaultKind } from '../../../support/faulty-engine.ts';
import { modelLine, parsedTable, type TestRow, testTable } from '../../../support/model-table.ts';
import { until } from '../../../support/until.ts';
import { openBuffer } from '../../../support/write-buffer.ts';
import { temporaryDirectory } from '../../../support/write-store.ts';

const CHUNK_NS = 600_000_000_000n;

/** 1 = every position, which takes a minute. */
const STRIDE = Number(process.env['FAULT_STEP'] ?? 7);

const COLUMNS = [
  ['host', 'tag'],
  ['i', 'integer'],
  ['s', 'string'],
  ['late', 'float'],
  ['time', 'time'],
] as const;

/** Rows `from` to `to`, each with values of its own; those from 2500 on have one field more. */
function rowsOf(from: number, to: number): TestRow[] {
  return Array.from({ length: to - from }, (_, k) => {
    const n = from + k;
    const fields = { i: BigInt(n), s: `the text of row ${n}`, ...(n < 2500 ? {} : { late: n / 2 }) };
    return { tags: { host: `h${n % 7}${n < 2500 ? '' : ' late'}` }, fields, timeNs: BigInt(n) * 1_000_000n };
  });
}

const lines = (rows: readonly TestRow[]): string[] => rows.map(modelLine).sort();

/** Every stored row, as a query reads them. */
async function storedLines(plain: Engine, buffer: WriteBuffer, table: TableSchema): Promise<string[]> {
  const view = await buffer.table(table.databaseId, table.id)?.view();
  try {
    const columns = table.columns.map((column) => ({ column, as: column.name }));
    const bounds = { minTimeNs: undefined, maxTimeNs: undefined, cutoffNs: undefined };
    const source = tableScanSql({ table, columns, files: [], buffer: view, chunkDurationNs: CHUNK_NS, ...bounds });
    return lines(await readRows(plain, source, table));
  } finally {
    view?.release();
  }
}

async function untilRead(plain: Engine, buffer: WriteBuffer, table: TableSchema): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await storedLines(plain, buffer, table);
    } catch (error) {
      if (attempt >= 300) throw error;
    }
  }
}

/** Three writes with a reader after each; returns how many calls of DuckDB that took. */
async function scenario(
  engine: Engine,
  table: TableSchema,
  failing: (step: number) => FaultKind | undefined,
  name: string,
): Promise<number> {
  const faults = new EngineFaults();
  const buffer = openBuffer(faults.wrap(engine), table);
  await buffer.open();
  faults.fail(failing);
  const rows: TestRow[] = [];
  // Small and large sections, a full chunk and more, a field and series that come later.
  for (const [from, to] of [
    [0, 100],
    [100, 2300],
    [2300, 2310],
    [2310, 5000],
  ] as const) {
    const added = rowsOf(from, to);
    rows.push(...added);
    buffer.apply(encodeBatch(table.databaseId, [parsedTable(table, buffer.series(table), added)], new SeriesDefinitions(), from));
    if (to === 2310) continue;
    assert.deepEqual(await untilRead(engine, buffer, table), lines(rows), `${name}, failed: ${faults.failed.join(', ')}`);
  }
  const steps = faults.steps;
  faults.fail(() => undefined);
  assert.deepEqual(await storedLines(engine, buffer, table), lines(rows), `${name}, afterwards`);
  await buffer.dropTable(table.databaseId, table.id);
  buffer.close();
  return steps;
}

test('whichever call of DuckDB fails, before or after its work, every row is there once', async (t) => {
  const { engine } = await testEngine(t);
  const steps = await scenario(engine, testTable(COLUMNS, 0), () => undefined, 'no failure');
  let id = 1;
  for (const kind of ['before', 'after'] as const) {
    for (let n = kind === 'before' ? 0 : 1; n < steps; n += STRIDE) {
      await scenario(engine, testTable(COLUMNS, id++), (step) => (step === n ? kind : undefined), `step ${n} ${kind}`);
    }
  }
});

test('failures that follow each other lose and double nothing', async (t) => {
  const { engine } = await testEngine(t);
  for (const every of [2, 3, 5, 9]) {
    for (const kind of ['before', 'after'] as const) {
      // After 200 failures DuckDB has its memory again.
      const failing = (step: number): FaultKind | undefined => (step < 200 && step % every === every - 1 ? kind : undefined);
      await scenario(engine, testTable(COLUMNS, every * 2 + (kind === 'before' ? 0 : 1)), failing, `every ${every} ${kind}`);
    }
  }
});

test('while DuckDB takes no rows writers are refused at the limit, and nothing spins', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const faults = new EngineFaults();
  let errors = 0;
  const buffer = openBuffer(faults.wrap(engine), table, () => errors++);
  t.after(() => buffer.close());
  await buffer.open();
  faults.fail(() => 'before');
  let rows = 0;
  const write = async (): Promise<void> => {
    await buffer.ready();
    const added = rowsOf(rows, rows + 2500);
    rows += added.length;
    buffer.apply(encodeBatch(table.databaseId, [parsedTable(table, buffer.series(table), added)], new SeriesDefinitions(), rows));
  };
  const fill = async (): Promise<void> => {
    for (;;) await write();
  };
  await assert.rejects(fill, (error) => error instanceof InfluxError && error.code === 'BUFFER_FULL' && error.status === 503);
  assert.equal(errors, 1, 'a failure that repeats is told once');
  assert.ok(faults.steps < 50, `${faults.steps} attempts`);

  faults.fail(() => undefined);
  await until(async () => {
    try {
      await write();
      return true;
    } catch {
      return false;
    }
  });
  assert.equal((await storedLines(engine, buffer, table)).length, rows);
});

test('a table that DuckDB refuses does not hold up the others', async (t) => {
  const { engine } = await testEngine(t);
  const stuck = testTable(COLUMNS, 1);
  const other = testTable(COLUMNS, 2);
  const refusing = new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'run') return value.bind(target);
      return (sql: string) => (sql.includes('"b_1_1_') ? Promise.reject(new Error('Out of Memory Error: injected')) : target.run(sql));
    },
  });
  const buffer = openBuffer(
    refusing,
    (_, id) => (id === 1 ? stuck : other),
    () => undefined,
  );
  t.after(() => buffer.close());
  await buffer.open();
  const write = (table: TableSchema, from: number): void => {
    const added = rowsOf(from, from + 2500);
    buffer.apply(encodeBatch(table.databaseId, [parsedTable(table, buffer.series(table), added)], new SeriesDefinitions(), from));
  };
  for (let n = 0; n < 8; n++) write(stuck, n * 2500);
  for (let n = 0; n < 40; n++) {
    await buffer.ready();
    write(other, n * 2500);
  }
  assert.equal((await storedLines(engine, buffer, other)).length, 100_000);
  assert.ok((buffer.table(1, 2)?.pendingBytes ?? Number.NaN) < 1 << 20);
});

test('DuckDB at its memory limit gives every row once when it has memory again', async (t) => {
  const directory = await temporaryDirectory(t);
  const engine = await Engine.open({
    threads: 2,
    memoryLimitBytes: 64 * 1024 * 1024,
    tempDirectory: '', // nothing can be spilled
    allowedDirectories: [directory],
    setupStatements: [],
  });
  t.after(async () => engine.close());
  const table = testTable(COLUMNS);
  const errors: string[] = [];
  const note = (error: unknown): number => errors.push(error instanceof Error ? error.message : String(error));
  const buffer = openBuffer(engine, table, note);
  t.after(() => buffer.close());
  await buffer.open();
  // Takes most of the memory.
  await engine.run("CREATE TABLE hog AS SELECT repeat('x', 1000) || i AS t FROM range(38000) r(i)");
  let rows = 0;
  for (let n = 0; errors.length === 0; n++) {
    assert.ok(n < 2000, 'the memory never ran out');
    const added = rowsOf(rows, rows + 500).map((row) => ({ ...row, fields: { ...row.fields, s: `${row.timeNs} `.repeat(40) } }));
    rows += added.length;
    buffer.apply(encodeBatch(table.databaseId, [parsedTable(table, buffer.series(table), added)], new SeriesDefinitions(), n));
    if (n % 10 === 9) {
      // A query fails, too, and takes the rows that it was to see with it.
      await buffer
        .table(table.databaseId, table.id)
        ?.view()
        .then((view) => view.release(), note);
    }
  }
  for (const error of errors) assert.match(error, /^Out of Memory Error: /);
  await engine.run('DROP TABLE hog');
  const view = await buffer.table(table.databaseId, table.id)?.view();
  const columns = table.columns.filter((column) => column.type !== 'tag').map((column) => ({ column, as: column.name }));
  const bounds = { minTimeNs: undefined, maxTimeNs: undefined, cutoffNs: undefined };
  const source = tableScanSql({ table, columns, files: [], buffer: view, chunkDurationNs: CHUNK_NS, ...bounds });
  const connection = await engine.acquire();
  const wrong = "count(*) FILTER (i * 1000000 <> epoch_ns(time) OR s <> repeat(epoch_ns(time) || ' ', 40))";
  const reader = await connection.runAndReadAll(`SELECT count(*), count(DISTINCT i), max(i), ${wrong} FROM ${source} AS r`);
  view?.release();
  engine.release(connection);
  assert.deepEqual(reader.getRows()[0], [BigInt(rows), BigInt(rows), BigInt(rows) - 1n, 0n]);
});
