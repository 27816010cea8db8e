import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDurationNs, parseDurationNs } from '../../../src/shared/duration.ts';

const secondNs = 1_000_000_000n;

describe('durations', () => {
  for (const [text, ns] of [
    ['0', 0n],
    ['1month', 2_630_016n * secondNs],
    ['1M', 2_630_016n * secondNs],
    ['1m', 60n * secondNs],
    ['100 ms', 100_000_000n],
    ['1h 30m', 5_400n * secondNs],
    ['1h30m', 5_400n * secondNs],
    ['4 hours', 14_400n * secondNs],
    ['1year', 31_557_600n * secondNs],
    ['2 wks', 1_209_600n * secondNs],
    ['7us 3ns', 7_003n],
    ['7µs', 7_000n],
    [' 5s ', 5n * secondNs],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => assert.equal(parseDurationNs(text), ns));
  }

  for (const [text, reason] of [
    ['', 'value was empty'],
    ['10', 'time unit needed, for example 10sec or 10ms'],
    ['abc', 'expected number at 0'],
    ['1.5h', 'invalid character at 1'],
    ['-1s', 'expected number at 0'],
    ['5s,', 'invalid character at 2'],
    ['µ1s', 'expected number at 0'],
    ['1µs x', 'expected number at 5'],
    ['99999999999999999999s', 'number is too large'],
    ['5x', 'unknown time unit "x", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, months, years (and few variations)'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseDurationNs(text), { name: 'DurationError', message: reason }));
  }

  for (const [text, shown] of [
    ['60d', '1month 29days 13h 26m 24s'],
    ['30d', '30days'],
    ['72h', '3days'],
    ['90s', '1m 30s'],
    ['2years 2months 1day', '2years 2months 1day'],
    ['1001us', '1ms 1us'],
    ['0', '0s'],
  ] as const) {
    it(`shows ${text} as ${shown}`, () => assert.equal(formatDurationNs(parseDurationNs(text)), shown));
  }

  it('reads back what it shows', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), (ns) => parseDurationNs(formatDurationNs(ns)) === ns));
  });

  it('throws nothing but its own error, whatever the text', () => {
    const check = (text: string): boolean => {
      try {
        parseDurationNs(text);
      } catch (error) {
        return error instanceof Error && error.name === 'DurationError';
      }
      return true;
    };
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9 smhdx]{0,12}$/)), check));
  });
});
