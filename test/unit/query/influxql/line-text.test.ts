import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineMaker } from '../../../../src/query/influxql/line-text.ts';
import type { ResultColumn, ResultType, ResultVector } from '../../../../src/query/result.ts';
import { BOOLEAN, madeVector, textVector } from '../../../../src/query/results/index.ts';
import { Harness } from '../../write/line-protocol/fake-catalog.ts';

const TEXT: ResultType = { kind: 'string', dictionary: false };
const KEY = { measurementColumn: 0, tagColumns: [{ key: 't,g= \\x', columnIndex: 2, projected: false }] };

/** One row of a measurement, a tag and a field of each type. */
function line(measurement: string, tag: string | null, text: string | null, float: number, target?: string): string {
  const columns: ResultColumn[] = [
    { name: 'm', type: TEXT },
    { name: 'time', type: { kind: 'timestamp', zone: undefined } },
    { name: 't,g= \\x', type: TEXT },
    { name: 'te\\,xt', type: TEXT },
    { name: 'f', type: { kind: 'float64' } },
    { name: 'i', type: { kind: 'int64' } },
    { name: 'u', type: { kind: 'uint64' } },
    { name: 'b', type: { kind: 'boolean' } },
  ];
  const vectors: ResultVector[] = [
    textVector([measurement]),
    { kind: 'timestamp', data: BigInt64Array.of(-5n), valid: undefined },
    textVector([tag]),
    textVector([text]),
    { kind: 'float64', data: Float64Array.of(float), valid: undefined },
    { kind: 'int64', data: BigInt64Array.of(-9_223_372_036_854_775_808n), valid: undefined },
    { kind: 'uint64', data: BigUint64Array.of(18_446_744_073_709_551_615n), valid: undefined },
    madeVector(BOOLEAN, [true]),
  ];
  const result = { columns, batches: async function* () {}, cancel: () => undefined };
  return lineMaker({ result, groupKey: KEY }, target)(vectors, 0);
}

test('rows read back as they were, whatever their names and texts hold', () => {
  const name = fc.string({ unit: fc.constantFrom(...'a\\ ,="#é\r'), minLength: 1, maxLength: 6 }).filter((text) => !/^#|\\$/.test(text));
  const text = fc.string({ unit: fc.constantFrom(...'a\\ ,="\n\t\0é'), maxLength: 6 });
  fc.assert(
    fc.property(name, name, text, fc.double({ noDefaultInfinity: true, noNaN: true }), (measurement, tag, field, float) => {
      const fields = {
        'te\\,xt': field,
        f: float === 0 ? 0 : float,
        i: -9_223_372_036_854_775_808n,
        u: { u: 18_446_744_073_709_551_615n },
        b: true,
      };
      const [row] = new Harness().rows(line(measurement, tag, field, float === 0 ? 0 : float));
      assert.deepEqual(row, { table: measurement, tags: { 't,g= \\x': tag }, fields, timeNs: -5n });
    }),
    { numRuns: 500 },
  );
});

test('what has no value is left out, and what line protocol cannot hold is refused', () => {
  assert.equal(line('m', null, null, Number.NaN), 'm i=-9223372036854775808i,u=18446744073709551615u,b=true -5\n');
  assert.match(line('m', '', 'x', 1, 'other'), /^other te\\\\\\,xt="x",f=1,/);
  assert.throws(() => line('m', 'a\\', null, 1), { message: '"a\\\\" cannot be written as a name or a tag value of line protocol' });
  assert.throws(() => line('m', 'a\nb', null, 1), /cannot be written/);
  assert.throws(() => line('#m', 'a', null, 1), /cannot be written/);
  assert.throws(() => line('m', 'a', null, Number.POSITIVE_INFINITY), { message: 'a field cannot be +Inf' });
});
