import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uniqueNames } from '../../../../src/duckdb/index.ts';
import { mapEngineError } from '../../../../src/query/sql/duckdb-errors.ts';
import { physicalNames } from '../../../../src/query/sql/types/physical-names.ts';
import { quoteIdent, quoteString } from '../../../../src/query/sql/types/quote.ts';
import { parseInterval } from '../../../../src/query/sql/values/intervals.ts';
import { addMonths, parseTimestamp } from '../../../../src/query/sql/values/timestamps.ts';

describe('physical names', () => {
  test('keep names that do not collide', () => {
    assert.deepEqual(
      [...physicalNames(['a', 'b'])],
      [
        ['a', 'a'],
        ['b', 'b'],
      ],
    );
  });

  test('give colliding names another one, which collides with nothing', () => {
    assert.deepEqual(
      [...physicalNames(['A', 'a', 'a__1'])],
      [
        ['A', 'A'],
        ['a', 'a__2'],
        ['a__1', 'a__1'],
      ],
    );
  });

  test('handle repeats and empty names', () => {
    assert.deepEqual(uniqueNames(['x', 'x', 'X', '']), ['x', 'x__1', 'X__2', '__empty']);
    assert.deepEqual(uniqueNames(['a\0', 'a\u2400']), ['a\u2400', 'a\u2400__1']);
  });
});

describe('quoting', () => {
  test('doubles quotes and splits NUL', () => {
    assert.equal(quoteIdent('a"b'), '"a""b"');
    assert.equal(quoteString("a'b"), "'a''b'");
    assert.equal(quoteString("a\0'"), "('a' || chr(0) || '''')");
  });
});

describe('intervals', () => {
  const cases: readonly (readonly [string, string | undefined, number, number, bigint])[] = [
    ['1 hour', undefined, 0, 0, 3_600_000_000_000n],
    ['1 day 2 hours', undefined, 0, 1, 7_200_000_000_000n],
    ['36 hours', undefined, 0, 0, 129_600_000_000_000n],
    ['1.5 seconds', undefined, 0, 0, 1_500_000_000n],
    ['100 nanoseconds', undefined, 0, 0, 100n],
    ['-5 minutes', undefined, 0, 0, -300_000_000_000n],
    ['1 century', undefined, 1200, 0, 0n],
    ['2 years 3 months', undefined, 27, 0, 0n],
    ['1', 'day', 0, 1, 0n],
    ['10', undefined, 0, 0, 10_000_000_000n],
    ['2 weeks', undefined, 0, 14, 0n],
    ['0.5 days', undefined, 0, 0, 43_200_000_000_000n],
    ['01:30:00', undefined, 0, 0, 5_400_000_000_000n],
  ];
  for (const [text, unit, months, days, ns] of cases) {
    test(`reads '${text}'${unit ? ` ${unit}` : ''}`, () => {
      assert.deepEqual(parseInterval(text, unit), { months, days, ns });
    });
  }

  test('refuses what is not an interval', () => {
    for (const text of ['', 'abc', '1 foo', '1 day x']) assert.throws(() => parseInterval(text), { status: 400 });
  });
});

describe('timestamps in text', () => {
  const cases: readonly (readonly [string, bigint])[] = [
    ['1970-01-01', 0n],
    ['1970-01-01T00:00:01', 1_000_000_000n],
    ['1970-01-01t00:00:01z', 1_000_000_000n],
    ['1970-01-01 00:00:00.1234567891', 123_456_789n],
    ['1970-01-01T00:00:00+01:00', -3_600_000_000_000n],
    ['1970-01-01T00:00:00 +0100', -3_600_000_000_000n],
    ['1970-01-01T00:00:00-01', 3_600_000_000_000n],
    ['1970-01-01T00:00:00 UTC', 0n],
    ['2022-07-01T02:00:00 Europe/Paris', 1_656_633_600_000_000_000n],
    ['1970-01-01T00:00:60', 60_000_000_000n],
    ['1969-12-31T23:59:59.999999999', -1n],
  ];
  for (const [text, ns] of cases) {
    test(`reads '${text}'`, () => {
      assert.equal(parseTimestamp(text), ns);
    });
  }

  test('names unknown zones', () => {
    assert.throws(() => parseTimestamp('1970-01-01T00:00:00 Zjunk'), {
      message:
        'Optimizer rule \'simplify_expressions\' failed\ncaused by\nArrow error: Parser error: Invalid timezone "Zjunk": failed to parse timezone',
    });
  });

  test('months are cut to the last day', () => {
    assert.equal(addMonths(parseTimestamp('2022-01-31T01:00:00'), 1), parseTimestamp('2022-02-28T01:00:00'));
    assert.equal(addMonths(parseTimestamp('1968-03-31T00:00:00.5'), -1), parseTimestamp('1968-02-29T00:00:00.5'));
  });
});

describe('engine errors', () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['Invalid Input Error: Arrow error: Divide by zero error', 500, 'Arrow error: Divide by zero error'],
    ['Binder Error: No function matches t0.c1\n\nLINE 1: SELECT', 400, 'Error during planning: No function matches c1'],
    [
      "Conversion Error: Could not convert string 'x' to INT32",
      500,
      "Arrow error: Cast error: Cannot cast string 'x' to value of Int32 type",
    ],
    [
      "Binder Error: No function matches the given name and argument types '_df.f(BIGINT[], STRUCT(a VARCHAR))'. You might need to add explicit type casts.\n\tCandidate functions:\n\tf(BIT)",
      400,
      "Error during planning: Failed to coerce arguments to satisfy a call to 'f' function: coercion from (List(Int64), Struct(a Utf8)) failed",
    ],
    [
      "Invalid Input Error: Type INT64 with value 5000000000 can't be cast because the value is out of range for the destination type INT32",
      500,
      "Arrow error: Cast error: Can't cast value 5000000000 to type Int32",
    ],
    ['Conversion Error: no idea', 500, 'Arrow error: Cast error: no idea'],
    ['Out of Range Error: Overflow', 500, 'Arrow error: Arithmetic overflow: Overflow'],
    ['INTERRUPT Error: Interrupted!', 500, 'Execution error: query was cancelled'],
    ['something else', 500, 'Execution error: something else'],
  ];
  for (const [raw, status, message] of cases) {
    test(`maps ${raw.slice(0, 30)}`, () => {
      const mapped = mapEngineError(new Error(raw));
      assert.deepEqual({ status: mapped.status, message: mapped.message }, { status, message });
    });
  }
});
