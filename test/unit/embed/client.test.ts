import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRows } from '../../../src/embed/client.ts';
import { ServerError } from '../../../src/embed/server-error.ts';

describe('rows of a JSON result', () => {
  it('integers that a number cannot hold are bigints, all others stay', () => {
    const text =
      '[{"i":-9223372036854775808,"u":18446744073709551615,"n":42,"f":1.5e30,"x":0.12345678901234567890,"g":1234567890123.125,"s":"18446744073709551615"}]';
    assert.deepEqual(parseRows(text), [
      {
        i: -9223372036854775808n,
        u: 18446744073709551615n,
        n: 42,
        f: 1.5e30,
        x: 0.12345678901234568,
        g: 1234567890123.125,
        s: '18446744073709551615',
      },
    ]);
  });

  it('a string is never taken for an integer', () => {
    const value = 9007199254740993n;
    assert.deepEqual(parseRows(`[{"a":${value},"b":"integer ${value}"}]`), [{ a: value, b: `integer ${value}` }]);
  });

  it('any strings and integers come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (name, integer) => {
        const [row] = parseRows(`[{${JSON.stringify(`x${name}`)}:${integer},"text":${JSON.stringify(name)}}]`);
        assert.equal(BigInt(row?.[`x${name}`] as number | bigint), integer);
        assert.equal(row?.['text'], name);
      }),
    );
  });
});

describe('refusals', () => {
  it('the message is what the server said, with the reason of the first line', () => {
    const partial = new ServerError(
      400,
      '{"error":"partial write","data":[{"original_line":"x","line_number":1,"error_message":"no fields"}]}',
    );
    assert.equal(partial.message, 'partial write: no fields');
    assert.equal(new ServerError(404, 'database not found: x').message, 'database not found: x');
    assert.equal(new ServerError(500, '').message, 'the server answered with status 500');
    assert.equal(new ServerError(500, '{broken').message, '{broken');
  });
});
