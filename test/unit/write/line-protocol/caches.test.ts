import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyTable } from '../../../../src/write/line-protocol/key-table.ts';
import { NameCache } from '../../../../src/write/line-protocol/name-cache.ts';
import { RawSeriesCache } from '../../../../src/write/line-protocol/raw-series-cache.ts';
import { Harness } from './fake-catalog.ts';

function viewOf(text: string): DataView {
  const bytes = Uint8Array.from(Buffer.from(`${text} v=1\n    `));
  return new DataView(bytes.buffer);
}

test('the series cache finds what it was given, and nothing that only begins alike', () => {
  const cache = new RawSeriesCache();
  const texts = Array.from({ length: 2000 }, (_, i) => `m,host=h${i}`);
  texts.forEach((text, i) => {
    const view = viewOf(text);
    assert.equal(cache.find(view, 0, text.length + 1), 0);
    assert.equal(cache.add(view, 0, text.length + 1, i % 3, i), i + 1);
  });
  texts.forEach((text, i) => {
    const entry = cache.find(viewOf(text), 0, text.length + 1);
    assert.equal(cache.seriesIds[entry], i);
    assert.equal(cache.tableSlots[entry], i % 3);
    assert.equal(cache.matches(entry, viewOf(`${text}0`), 0), false);
  });
});

test('a full series cache keeps what it has until it would have turned away four times as much', () => {
  const cache = new RawSeriesCache(1024);
  const text = (i: number) => `m,host=${String(i).padStart(20, 'x')}`;
  const add = (i: number) => cache.add(viewOf(text(i)), 0, text(i).length + 1, 0, i);
  const find = (i: number) => cache.find(viewOf(text(i)), 0, text(i).length + 1);
  let kept = 0;
  while (add(kept) !== 0) kept++;
  const full = cache.count;
  assert.ok(kept > 20 && full === kept + 1);
  let refused = 1;
  for (let i = kept + 1; add(i) === 0; i++) {
    refused++;
    for (let k = 0; k < kept; k++) assert.equal(cache.seriesIds[find(k)], k);
  }
  assert.equal(refused, full * 4);
  assert.equal(cache.count, 2, 'only the text that was added last');
  assert.equal(find(0), 0);
  assert.equal(add(0), 2);
  const long = 'm'.repeat(2000);
  assert.equal(cache.add(viewOf(long), 0, 2001, 0, 7), 0, 'a text over the limit is not kept');
});

test('the series cache does not look behind the end of a body', () => {
  const cache = new RawSeriesCache();
  const view = new DataView(Uint8Array.from(Buffer.from('m,t=abc v=1\n    ')).buffer);
  const entry = cache.add(view, 0, 8, 0, 1);
  const odd = new DataView(Uint8Array.from(Buffer.from('m,t=ab ')).buffer);
  assert.equal(cache.find(odd, 0, 7), 0);
  assert.equal(cache.matches(entry, odd, 0), false);
});

test('more series in one body than the cache keeps are still told apart', () => {
  const harness = new Harness();
  const tag = 'x'.repeat(900);
  const line = (i: number) => `m,t=${tag}${i} v=${i} ${i}\n`;
  const count = 4000;
  for (let round = 0; round < 10; round++) {
    const body = Array.from({ length: count }, (_, i) => line(round * count + i)).join('');
    const rows = harness.rows(body);
    assert.equal(rows.length, count);
    assert.ok(rows.every(({ tags, fields }) => tags['t'] === tag + String(fields['v'])));
  }
  assert.deepEqual(
    harness.rows(line(5) + line(39_999) + line(5)).map(({ tags }) => tags['t']?.slice(900)),
    ['5', '39999', '5'],
  );
});

test('names are decoded right after the name cache is full', () => {
  const names = new NameCache();
  for (let i = 0; i < 10_000; i++) {
    const name = `field_${i % 5000}_é`;
    const bytes = Buffer.from(name);
    assert.equal(names.decode(bytes, 0, bytes.length), name);
  }
});

test('a key table keeps every key and takes new values', () => {
  const table = new KeyTable();
  const key = (i: number) => Buffer.from(`key${i}`);
  for (let i = 0; i < 500; i++) table.set(key(i), i);
  for (let i = 0; i < 500; i += 2) table.set(key(i), -i - 2);
  for (let i = 0; i < 500; i++) assert.equal(table.get(key(i), 0, key(i).length), i % 2 === 0 ? -i - 2 : i);
  assert.equal(table.get(key(500), 0, 6), -1);
});

test('the memory of a large body is given back before the next one, and columns work on', () => {
  const harness = new Harness();
  const text = 'y'.repeat(1_000_000);
  const body = Array.from({ length: 40 }, (_, i) => `m s="${text}",i=${i}i ${i}`).join('\n');
  assert.equal(harness.rows(body).length, 40);
  assert.deepEqual(harness.rows('m s="z",i=7i 1'), [{ table: 'm', tags: {}, fields: { s: 'z', i: 7n }, timeNs: 1n }]);
});
