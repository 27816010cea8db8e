import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { column, encodeColumns } from './support.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

test('JSON parses back to the same values', () => {
  const row = fc.record({
    f: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    s: fc.option(fc.string({ unit: 'grapheme', maxLength: 60 })),
    b: fc.option(fc.boolean()),
    i: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      const json = encodeColumns(
        'json',
        [
          column(
            'f',
            { kind: 'float64' },
            rows.map((r) => r.f),
          ),
          column(
            's',
            { kind: 'string', dictionary: false },
            rows.map((r) => r.s),
          ),
          column(
            'b',
            { kind: 'boolean' },
            rows.map((r) => r.b),
          ),
          column(
            'i',
            { kind: 'int32' },
            rows.map((r) => r.i),
          ),
        ],
        rows.length,
      );
      const expected = rows.map((r) => Object.fromEntries(Object.entries(r).filter(([, value]) => value !== null)));
      assert.deepEqual(JSON.parse(json), expected);
    }),
  );
});

test('64-bit integers keep all digits', () => {
  fc.assert(
    fc.property(fc.array(int64, { minLength: 1 }), (values) => {
      const lines = encodeColumns('csv', [column('v', { kind: 'int64' }, values)], values.length)
        .trimEnd()
        .split('\n');
      assert.deepEqual(lines.slice(1).map(BigInt), values);
    }),
  );
});

test('timestamps agree with the platform calendar', () => {
  fc.assert(
    fc.property(fc.array(int64, { minLength: 1 }), (values) => {
      const type = { kind: 'timestamp', zone: undefined } as const;
      const lines = encodeColumns('csv', [column('v', type, values)], values.length)
        .trimEnd()
        .split('\n');
      assert.deepEqual(lines.slice(1), values.map(slowText));
    }),
  );
});

test('short decimals print as written', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(10 ** 8), max: 10 ** 8 }), fc.integer({ min: 0, max: 5 }), (digits, scale) => {
      const value = Number(`${digits}e-${scale}`);
      const [, cell = ''] = encodeColumns('csv', [column('v', { kind: 'float64' }, [value])], 1).split('\n');
      assert.equal(Number(cell), value);
      const plain = String(value);
      if (!plain.includes('e')) assert.equal(cell, plain.includes('.') ? plain : `${plain}.0`);
    }),
  );
});

function slowText(ns: bigint): string {
  const nanos = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const head = new Date(Number((ns - nanos) / 1_000_000n)).toISOString().slice(0, 19);
  const digits = String(nanos).padStart(9, '0');
  if (nanos === 0n) return head;
  return `${head}.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`;
}
