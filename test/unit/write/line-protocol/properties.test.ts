import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InfluxError } from '../../../../src/shared/errors.ts';
import { dataStart, logicalLineEnd } from '../../../../src/shared/logical-lines.ts';
import { TIME_NS_MAX, TIME_NS_MIN } from '../../../../src/shared/time-range.ts';
import { type Line, parseLine } from '../../../../src/write/line-protocol/line-syntax.ts';
import { NameCache } from '../../../../src/write/line-protocol/name-cache.ts';
import { Harness, INGEST_NS, type Row, rowsOf, type Value } from './fake-catalog.ts';

const LIKELY = 'm,t=a\\ "#\n\r\t\0 v=1i2u.5e+-tTrueF "é,= ';

/** Bytes that look like line protocol often enough to get deep. */
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.array(fc.constantFrom(...LIKELY), { maxLength: 60 }).map((parts) => new Uint8Array(Buffer.from(parts.join('')))),
  fc
    .array(fc.constantFrom('m,t=a', 'm', ' ', 'v=1', 'v=1i', ',', 's="x', '"', '\\', '\n', ' 1', 'b=t', 'n,t=a\\ b', '# ', '9'), {
      maxLength: 40,
    })
    .map((parts) => new Uint8Array(Buffer.from(parts.join('')))),
);

test('any bytes give rows, line errors or an InfluxError, and never break the parser', () => {
  const harness = new Harness();
  harness.write('m,t=a v=1,s="x",b=t,i=1i,u=1u 1');
  fc.assert(
    fc.property(body, fc.boolean(), (bytes, acceptPartial) => {
      try {
        const parsed = harness.write(bytes, { acceptPartial });
        assert.equal(rowsOf(parsed).length, parsed.acceptedLines);
      } catch (error) {
        assert.ok(error instanceof InfluxError, String(error));
      }
      assert.deepEqual(harness.rows('m,t=a v=2 5'), [{ table: 'm', tags: { t: 'a' }, fields: { v: 2 }, timeNs: 5n }]);
    }),
    { numRuns: 3000 },
  );
});

/** Good lines with a few bytes replaced, removed or repeated: nearly line protocol. */
const damaged = fc
  .tuple(
    fc.array(
      fc.constantFrom(
        'm,t=a v=1,s="x y",b=t,i=5i,u=6u 17',
        'm,t=a,r=b\\ c s="a\\"b\\\\",v=-2.5e3 18',
        'm v=1',
        'n,t=a\\,b f\\ g=1,s="line\nbreak" 19',
        'n s="",i=-1i  20  ',
        '# c="x',
        '',
      ),
      { minLength: 1, maxLength: 6 },
    ),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('replace', 'remove', 'insert'), fc.constantFrom(...LIKELY)), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([lines, edits, ending]) => {
    let text = lines.join('\n') + (ending ? '\n' : '');
    for (const [place, edit, char] of edits) {
      const at = text.length === 0 ? 0 : place % text.length;
      text = text.slice(0, at) + (edit === 'remove' ? '' : char) + text.slice(edit === 'insert' ? at : at + 1);
    }
    return new Uint8Array(Buffer.from(text));
  });

test('the hot loop takes what the whole grammar takes, line by line', () => {
  const harness = new Harness();
  harness.write('m,t=a,r=b v=1,s="x",b=t,i=1i,u=1u 1\nn,t=a f\\ g=1,s="",i=1i 1');
  let good = 0;
  fc.assert(
    fc.property(damaged, (bytes) => {
      const buffer = Buffer.from(bytes);
      const expected: string[] = [];
      const names = new NameCache();
      for (let start = 0; start < buffer.length; ) {
        const end = logicalLineEnd(buffer, start);
        const data = dataStart(buffer, start, end);
        const line = data < end ? parseLine(buffer, data, end, names) : '';
        // Lines that would change the schema are left to the other tests.
        if (typeof line !== 'string' && fitsSchema(harness, line)) expected.push(shown(line));
        start = end + 1;
      }
      const transaction = harness.catalog.begin();
      const parsed = harness.parse(onlyKnown(harness, buffer), transaction);
      assert.equal(transaction.changed, false);
      good += parsed.acceptedLines;
      assert.deepEqual(rowsOf(parsed).map(printed).sort(), expected.sort());
    }),
    { numRuns: 5000 },
  );
  assert.ok(good > 5000, 'most lines are good');
});

/** The body without the logical lines that would add to the schema. */
function onlyKnown(harness: Harness, body: Buffer): Buffer {
  const names = new NameCache();
  const kept: Buffer[] = [];
  for (let start = 0; start < body.length; ) {
    const end = logicalLineEnd(body, start);
    const data = dataStart(body, start, end);
    const line = data < end ? parseLine(body, data, end, names) : '';
    if (typeof line === 'string' || fitsSchema(harness, line)) kept.push(body.subarray(start, end + 1));
    start = end + 1;
  }
  return Buffer.concat(kept);
}

function fitsSchema(harness: Harness, line: Line): boolean {
  const table = harness.catalog.tables.get(line.measurement);
  const keys = [...line.tags, ...line.fields].map(({ key }) => key);
  return (
    new Set(keys).size === keys.length &&
    line.tags.every(({ key }) => table?.columnByName.get(key)?.type === 'tag') &&
    line.fields.every(({ key, type }) => table?.columnByName.get(key)?.type === type)
  );
}

function shown(line: Line): string {
  const tags = Object.fromEntries(line.tags.map(({ key, value }) => [key, Buffer.from(value).toString('utf8')]));
  const fields = Object.fromEntries(
    line.fields.map(({ key, type, value }) => [
      key,
      type === 'string' ? Buffer.from(value as Uint8Array).toString('utf8') : (value as Value),
    ]),
  );
  return printed({ table: line.measurement, tags, fields, timeNs: line.timestamp ?? INGEST_NS });
}

function printed({ table, tags, fields, timeNs }: Row): string {
  const values = Object.entries(fields).map(([key, of]) => `${key}=${typeof of === 'object' ? of.u : Object.is(of, -0) ? '-0' : of}`);
  return JSON.stringify([table, Object.entries(tags).sort(), values.sort(), String(timeNs)]);
}

test('the hot loop and the whole grammar agree on every body', () => {
  fc.assert(
    fc.property(body, (bytes) => {
      const harness = new Harness();
      const cold = harness.write(bytes);
      const coldRows = rowsOf(cold);
      const warm = harness.write(bytes);
      assert.deepEqual(rowsOf(warm), coldRows);
      assert.equal(warm.acceptedLines, cold.acceptedLines);
      assert.equal(warm.acceptedBytes, cold.acceptedBytes);
      assert.deepEqual(
        warm.lineErrors.map(({ lineNumber, originalLine }) => [lineNumber, originalLine]),
        cold.lineErrors.map(({ lineNumber, originalLine }) => [lineNumber, originalLine]),
      );
    }),
    { numRuns: 3000 },
  );
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((name) => !/[\\\n\t\0]/.test(name));
const prefixed = (prefix: string) => text.map((name) => prefix + name);
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n),
  fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constant(2n ** 64n - 1n)).map((u) => ({ u })),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'binary', maxLength: 30 }).map((string) => Buffer.from(string).toString('utf8')),
  fc.boolean(),
);
const record = <T>(prefix: string, of: fc.Arbitrary<T>, minKeys: number) =>
  fc.dictionary(prefixed(prefix), of, { minKeys, maxKeys: 6, noNullPrototype: true });
const row: fc.Arbitrary<Row> = fc.record(
  {
    table: prefixed('m'),
    tags: record('t', text, 0),
    fields: record('f', value, 1),
    timeNs: fc.bigInt(TIME_NS_MIN, TIME_NS_MAX),
  },
  { noNullPrototype: true },
);

const escapeKey = (name: string): string => name.replace(/[,= ]/g, '\\$&');

function encodeValue(of: Value): string {
  if (typeof of === 'bigint') return `${of}i`;
  if (typeof of === 'number') return Object.is(of, -0) ? '-0' : String(of);
  if (typeof of === 'string') return `"${of.replace(/["\\]/g, '\\$&')}"`;
  return typeof of === 'boolean' ? String(of) : `${of.u}u`;
}

function encode({ table, tags, fields, timeNs }: Row): string {
  const tagText = Object.entries(tags).map(([key, tag]) => `,${escapeKey(key)}=${escapeKey(tag)}`);
  const fieldText = Object.entries(fields).map(([key, of]) => `${escapeKey(key)}=${encodeValue(of)}`);
  return `${table.replace(/[, ]/g, '\\$&')}${tagText.join('')} ${fieldText.join(',')} ${timeNs}`;
}

test('encode and parse give the same row: tags, escapes, int64 and uint64 ends, doubles bit by bit', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), (rows) => {
      for (const one of rows) {
        const harness = new Harness();
        const line = encode(one);
        for (const ending of ['', '\n']) assert.deepEqual(harness.rows(line + ending), [one]);
        const repeated = harness.rows(`${line}\n`.repeat(5));
        assert.deepEqual(repeated, [one, one, one, one, one]);
      }
    }),
    { numRuns: 500 },
  );
});

test('floats of every length are rounded to nearest', () => {
  const harness = new Harness();
  harness.write('m v=1');
  const digits = fc.stringMatching(/^[0-9]{1,22}$/);
  const literal = fc.oneof(
    fc.tuple(digits, digits).map(([whole, fraction]) => `${whole}.${fraction}`),
    fc.tuple(digits, fc.integer({ min: -330, max: 310 })).map(([whole, exponent]) => `${whole}e${exponent}`),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map((double) => double.toPrecision(17)),
    fc.double({ noNaN: true, min: -1, max: 1 }).map(String),
    fc.integer({ min: 0 }).map((n) => `9007199254740993.${n}`),
    digits,
  );
  fc.assert(
    fc.property(fc.array(literal, { minLength: 1, maxLength: 20 }), fc.boolean(), (literals, negative) => {
      const written = literals.map((one) => (negative && !one.startsWith('-') ? `-${one}` : one));
      const rows = harness.rows(written.map((one) => `m v=${one} 1\n`).join(''));
      assert.deepEqual(
        rows.map(({ fields }) => fields['v']),
        written.map(Number),
      );
    }),
    { numRuns: 2000 },
  );
});

test('columns that come and go keep the right rows, over batch sizes that grow the arrays', () => {
  const harness = new Harness();
  const present = fc.array(fc.record({ a: fc.boolean(), b: fc.boolean(), s: fc.boolean(), u: fc.boolean() }), { maxLength: 300 });
  fc.assert(
    fc.property(present, (rows) => {
      const lines = rows.map(({ a, b, s, u }, i) => {
        const fields = ['i=0i', a && `a=${i}`, s && `s="s${i}"`, b && `b=${i % 2 === 0}`, u && `u=${i}u`].filter(Boolean);
        return `m,t=${i % 3} ${(i % 2 ? fields : fields.reverse()).join(',')} ${i}`;
      });
      const expected = rows.map(({ a, b, s, u }, i) => ({
        table: 'm',
        tags: { t: String(i % 3) },
        fields: { i: 0n, ...(a && { a: i }), ...(s && { s: `s${i}` }), ...(b && { b: i % 2 === 0 }), ...(u && { u: { u: BigInt(i) } }) },
        timeNs: BigInt(i),
      }));
      assert.deepEqual(harness.rows(lines.join('\n')), expected);
    }),
    { numRuns: 200 },
  );
});
