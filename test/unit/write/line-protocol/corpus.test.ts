import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Harness, type Row } from './fake-catalog.ts';

/** Tests run from the project's root. */
const corpus = (name: string): Buffer => readFileSync(`test/corpus/line-protocol/${name}.lp`);

function sum(rows: readonly Row[], field: string): number {
  return rows.reduce((total, { fields }) => total + Number(fields[field] ?? 0), 0);
}

for (const [name, table] of [
  ['bay-area-weather', 'weather'],
  ['bitcoin', 'bitcoin'],
  ['home-sensor-data', 'home'],
  ['random-numbers', 'numbers'],
] as const) {
  test(`corpus ${name}: every line is a row with the values of its text`, () => {
    const text = corpus(name);
    const lines = text
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    const rows = new Harness().rows(text, { precision: 'auto' });
    assert.equal(rows.length, lines.length);
    assert.ok(rows.every((row) => row.table === table));
    for (const field of Object.keys(rows[0]?.fields ?? {})) {
      const expected = lines.reduce((total, line) => total + Number(new RegExp(`[ ,]${field}=([^,i ]+)`).exec(line)?.[1] ?? 0), 0);
      assert.equal(sum(rows, field), expected, field);
    }
  });
}

test('corpus: escaped tag values and second precision', () => {
  const rows = new Harness().rows(corpus('home-sensor-data'), { precision: 'second' });
  assert.equal(rows.length, 26);
  assert.deepEqual(rows[0], {
    table: 'home',
    tags: { room: 'Living Room' },
    fields: { temp: 21.1, hum: 35.9, co: 0n },
    timeNs: 1_721_548_800_000_000_000n,
  });
});
