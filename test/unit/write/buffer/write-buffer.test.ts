import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBatch, SeriesDefinitions } from '../../../../src/write/batch/index.ts';
import { testEngine } from '../../../support/engine.ts';
import { ModelTable, modelLine, parsedTable, type TestRow, testTable } from '../../../support/model-table.ts';
import { bufferedLines, openBuffer } from '../../../support/write-buffer.ts';

const COLUMNS = [
  ['host', 'tag'],
  ['region', 'tag'],
  ['f', 'float'],
  ['i', 'integer'],
  ['u', 'uinteger'],
  ['s', 'string'],
  ['b', 'boolean'],
  ['time', 'time'],
] as const;

/** A small deterministic generator, so that a failing run can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomRow(next: () => number): TestRow {
  const pick = (n: number): number => Math.floor(next() * n);
  const tags: Record<string, string> = {};
  if (next() < 0.9) tags['host'] = `host-${pick(5)}`;
  if (next() < 0.5) tags['region'] = next() < 0.5 ? 'a region name longer than twelve bytes' : 'é';
  const fields: Record<string, number | bigint | string | boolean> = {};
  if (next() < 0.5) fields['f'] = pick(1000) / 8;
  if (next() < 0.5) fields['i'] = BigInt(pick(1000)) - 9_223_372_036_854_775_000n;
  if (next() < 0.5) fields['u'] = 18_446_744_073_709_551_615n - BigInt(pick(1000));
  if (next() < 0.5) fields['s'] = next() < 0.5 ? `text ${pick(100)} that does not fit inline` : '';
  if (next() < 0.5) fields['b'] = next() < 0.5;
  if (Object.keys(fields).length === 0) fields['f'] = 1;
  return { tags, fields, timeNs: BigInt(pick(40)) * 60_000_000_000n - 600_000_000_000n + 7n };
}

test('the newest non-null value of every field wins, whatever order and batch the rows came in', async (t) => {
  const { engine } = await testEngine(t);
  for (let seed = 1; seed <= 5; seed++) {
    const table = testTable(COLUMNS, seed);
    const buffer = openBuffer(engine, table);
    await buffer.open();
    const model = new ModelTable();
    const next = random(seed);
    for (let batch = 0; batch < 12; batch++) {
      const rows = Array.from({ length: 1 + Math.floor(next() * 60) }, () => randomRow(next));
      for (const row of rows) model.write(row);
      buffer.apply(encodeBatch(1, [parsedTable(table, buffer.series(table), rows)], new SeriesDefinitions(), batch));
      if (next() < 0.3) assert.deepEqual(await bufferedLines(engine, buffer, table), model.lines(), `seed ${seed} batch ${batch}`);
      if (next() < 0.3) buffer.table(table.databaseId, table.id)?.seal();
    }
    assert.deepEqual(await bufferedLines(engine, buffer, table), model.lines(), `seed ${seed}`);
  }
});

test('rows of small batches that fill engine chunks together keep every value and null in its row', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const buffer = openBuffer(engine, table);
  await buffer.open();
  const model = new ModelTable();
  const next = random(7);
  for (let batch = 0, n = 0; batch < 300; batch++) {
    const size = batch % 50 === 49 ? 700 : 1 + Math.floor(next() * 40);
    // Columns differ from batch to batch, and a new one comes up in the middle of a chunk.
    const fields = (i: number): TestRow['fields'] => ({
      ...(batch % 3 === 0 ? {} : { f: i / 2 }),
      ...(batch < 110 ? {} : { u: BigInt(i) }),
      ...(i % 7 === 0 ? { s: `value number ${i}` } : {}),
      i: BigInt(i),
      b: i % 2 === 0,
    });
    const rows = Array.from({ length: size }, (): TestRow => {
      n++;
      return { tags: { host: `h${n % 10}` }, fields: fields(n), timeNs: BigInt(n) * 1_000_000n };
    });
    for (const row of rows) model.write(row);
    buffer.apply(encodeBatch(1, [parsedTable(table, buffer.series(table), rows)], new SeriesDefinitions(), batch));
    if (batch % 20 === 0) await new Promise(setImmediate);
  }
  assert.deepEqual(await bufferedLines(engine, buffer, table), model.lines());
  assert.equal(buffer.table(table.databaseId, table.id)?.pendingBytes, 0);
});

test('rows of batches larger than an engine chunk keep every value and null in its row', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const buffer = openBuffer(engine, table);
  await buffer.open();
  const model = new ModelTable();
  for (let batch = 0; batch < 3; batch++) {
    const rows = Array.from({ length: 5_001 }, (_, i): TestRow => {
      const n = batch * 5_001 + i;
      return {
        tags: { host: `h${n % 10}` },
        fields: { ...(n % 3 === 0 ? {} : { f: n / 2 }), i: BigInt(n), ...(n % 7 === 0 ? { s: `value number ${n}` } : {}), b: n % 2 === 0 },
        timeNs: BigInt(n) * 1_000_000n,
      };
    });
    for (const row of rows) model.write(row);
    buffer.apply(encodeBatch(1, [parsedTable(table, buffer.series(table), rows)], new SeriesDefinitions(), batch));
  }
  assert.deepEqual(await bufferedLines(engine, buffer, table), model.lines());
});

test('rows in ascending order per series leave no chunk to be merged', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const buffer = openBuffer(engine, table);
  await buffer.open();
  const rows = Array.from({ length: 100 }, (_, i): TestRow => ({ tags: { host: `h${i % 4}` }, fields: { f: i }, timeNs: BigInt(i >> 2) }));
  buffer.apply(encodeBatch(1, [parsedTable(table, buffer.series(table), rows)], new SeriesDefinitions(), 1));
  const view = await buffer.table(1, 0)?.view();
  assert.equal(view?.dirtyChunks.size, 0);
  view?.release();
});

test('tags and fields that come later are null in earlier rows', async (t) => {
  const { engine } = await testEngine(t);
  const early = testTable([
    ['host', 'tag'],
    ['f', 'float'],
    ['time', 'time'],
  ]);
  let current = early;
  const buffer = openBuffer(engine, () => current);
  await buffer.open();
  const first: TestRow = { tags: { host: 'a' }, fields: { f: 1 }, timeNs: 1n };
  buffer.apply(encodeBatch(1, [parsedTable(early, buffer.series(early), [first])], new SeriesDefinitions(), 1));
  assert.deepEqual(await bufferedLines(engine, buffer, early), [modelLine(first)]);
  const late = testTable([
    ['host', 'tag'],
    ['f', 'float'],
    ['time', 'time'],
    ['rack', 'tag'],
    ['g', 'string'],
  ]);
  // The live catalog grows the same object; the buffer keeps the one it met first.
  Object.assign(early, { columns: late.columns, columnByName: late.columnByName, seriesKey: late.seriesKey });
  current = early;
  const second: TestRow = { tags: { host: 'a', rack: 'r' }, fields: { g: 'x' }, timeNs: 2n };
  buffer.apply(encodeBatch(1, [parsedTable(early, buffer.series(early), [second])], new SeriesDefinitions(), 2));
  assert.deepEqual(await bufferedLines(engine, buffer, early), [modelLine(first), modelLine(second)].sort());
});
