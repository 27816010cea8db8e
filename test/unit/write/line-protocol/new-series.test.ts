import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Harness, type Row, rowsOf } from './fake-catalog.ts';

/** More than wait for their series at once. */
const MANY = 700;

function started(): Harness {
  const harness = new Harness();
  harness.write('m,host=first,zone=a v=0i 1\nother,host=first v=0i 1\n');
  return harness;
}

function told(rows: readonly Row[]): string[] {
  return rows.map((row) => `${row.table} ${row.tags['host']} ${row.tags['zone'] ?? '-'} ${row.fields['v']}`);
}

test('rows of many new series get their own series each', () => {
  const harness = started();
  const lines = Array.from({ length: MANY }, (_, i) => `m,host=h${i},zone=z${i % 3} v=${i}i ${i}\n`);
  const expected = Array.from({ length: MANY }, (_, i) => `m h${i} z${i % 3} ${i}`);
  for (let round = 0; round < 3; round++) assert.deepEqual(told(harness.rows(lines.join(''))), expected);
  assert.equal(seriesCount(harness, 'm'), MANY + 1);
});

test('a series that comes twice among new ones is one series', () => {
  const harness = started();
  const hosts = Array.from({ length: MANY }, (_, i) => `h${i % 2 === 0 ? i : i - 1}`);
  const parsed = harness.write(hosts.map((host, i) => `m,host=${host},zone=a v=${i}i ${i}\n`).join(''));
  assert.deepEqual(
    told(rowsOf(parsed)),
    hosts.map((host, i) => `m ${host} a ${i}`),
  );
  assert.equal(seriesCount(harness, 'm'), MANY / 2 + 1);
});

test('known series between and after many new ones keep their ids', () => {
  const harness = started();
  const known = Array.from({ length: MANY }, (_, i) => `m,host=known${i},zone=a v=1i 1\n`);
  harness.write(known.join(''));
  const before = idsOf(harness, known);
  const fresh = Array.from({ length: MANY }, (_, i) => `m,host=new${i},zone=a v=1i 1\n`);
  const mixed = [...fresh, ...known.toReversed(), ...fresh.flatMap((line, i) => [line.replace('new', 'newer'), known[i] as string])];
  const ids = idsOf(harness, mixed);
  assert.deepEqual(ids.slice(MANY, 2 * MANY), before.toReversed());
  assert.deepEqual(
    ids.slice(2 * MANY).filter((_, i) => i % 2 === 1),
    before,
  );
  assert.equal(seriesCount(harness, 'm'), 3 * MANY + 1);
});

test('tags in another order, or with escapes, are the same series, also among many new ones', () => {
  const harness = started();
  const pairs = Array.from({ length: MANY }, (_, i) => `m,host=h\\ ${i},zone=a v=1i 1\nm,zone=a,host=h\\ ${i} v=2i 2\n`);
  const ids = idsOf(harness, pairs);
  for (let i = 0; i < ids.length; i += 2) assert.equal(ids[i], ids[i + 1]);
  assert.equal(new Set(ids).size, MANY);
});

test('new series of several tables go to their tables', () => {
  const harness = started();
  const lines = Array.from({ length: MANY }, (_, i) => `${i % 2 === 0 ? 'm' : 'other'},host=h${i} v=${i}i ${i}\n`);
  const rows = harness.rows(lines.join(''));
  assert.deepEqual(told(rows).toSorted(), Array.from({ length: MANY }, (_, i) => `${i % 2 === 0 ? 'm' : 'other'} h${i} - ${i}`).toSorted());
  assert.equal(seriesCount(harness, 'other'), MANY / 2 + 1);
});

test('a refused line among new series leaves no series and takes no row of its neighbours', () => {
  const harness = started();
  const lines = Array.from({ length: MANY }, (_, i) => `m,host=h${i},zone=a v=${i % 50 === 7 ? 'x' : `${i}i`} ${i}\n`);
  const parsed = harness.write(lines.join(''));
  const good = Array.from({ length: MANY }, (_, i) => i).filter((i) => i % 50 !== 7);
  assert.deepEqual(
    told(rowsOf(parsed)),
    good.map((i) => `m h${i} a ${i}`),
  );
  assert.equal(parsed.lineErrors.length, MANY - good.length);
  assert.equal(seriesCount(harness, 'm'), good.length + 1);
});

function idsOf(harness: Harness, lines: readonly string[]): number[] {
  const [table] = harness.write(lines.join('')).tables;
  assert.ok(table);
  return [...table.seriesIds.subarray(0, table.rowCount)];
}

function seriesCount(harness: Harness, table: string): number {
  const schema = harness.catalog.tables.get(table);
  assert.ok(schema);
  return harness.catalog.seriesOf(schema).count;
}
