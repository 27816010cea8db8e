import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { numericWeekdays, parseCron } from '../../../src/processing/cron.ts';
import { parseTriggerSpec } from '../../../src/processing/trigger-spec.ts';
import { timesOf } from '../../../src/processing/triggers/schedule-trigger.ts';

function fires(expression: string, after: string, count = 3): string[] {
  const cron = parseCron(expression);
  assert.ok(!('problem' in cron), JSON.stringify(cron));
  const times: string[] = [];
  for (let at: number | undefined = Date.parse(after); times.length < count; ) {
    at = cron.nextAfter(at);
    if (at === undefined) break;
    times.push(new Date(at).toISOString().slice(0, 19));
  }
  return times;
}

function problem(expression: string): string {
  const cron = parseCron(expression);
  assert.ok('problem' in cron, expression);
  return cron.problem;
}

describe('trigger specifications', () => {
  it('are trimmed, and a table may be named like a prefix', () => {
    assert.deepEqual(parseTriggerSpec(' table: cpu '), { kind: 'table', table: 'cpu' });
    assert.deepEqual(parseTriggerSpec('table:table:cpu'), { kind: 'table', table: 'table:cpu' });
    assert.deepEqual(parseTriggerSpec('all_tables'), { kind: 'all_tables' });
    assert.deepEqual(parseTriggerSpec('request:a/b c'), { kind: 'request', path: 'a/b c' });
    assert.deepEqual(parseTriggerSpec('cron:@hourly'), { kind: 'schedule', cron: '@hourly' });
  });

  it('have durations with decimals, from a millisecond to a year', () => {
    assert.deepEqual(parseTriggerSpec('every:1h 30m'), { kind: 'every', secs: 5400, nanos: 0 });
    assert.deepEqual(parseTriggerSpec('every:1.5h'), { kind: 'every', secs: 5400, nanos: 0 });
    assert.deepEqual(parseTriggerSpec('every:0.25s 1ms'), { kind: 'every', secs: 0, nanos: 251_000_000 });
    assert.deepEqual(parseTriggerSpec('every:1year'), { kind: 'every', secs: 31_557_600, nanos: 0 });
    for (const text of ['every:', 'every:0s', 'every:999us', 'every:x', 'every:1.5.5s', 'every:0.0000000001s', 'every:1']) {
      assert.throws(() => parseTriggerSpec(text), { message: `failed to parse trigger from ${text}: couldn't parse to duration` });
    }
    assert.throws(() => parseTriggerSpec('every:1y 1s'), /don't support every schedules of over 1 year/);
  });

  it('are refused with what they may be', () => {
    for (const text of ['', 'x', 'Table:cpu', 'all_tables:', 'tables:x']) {
      assert.throws(() => parseTriggerSpec(text), {
        message: `failed to parse trigger from ${text}: expect one of the following forms: 'table:<TABLE_NAME>', 'all_tables', 'cron:<CRON_EXPRESSION>', 'every:<DURATION>', or 'request:<PATH>'`,
        status: 400,
      });
    }
    assert.throws(() => parseTriggerSpec('request: '), { message: 'failed to parse trigger from request:' });
    assert.throws(() => parseTriggerSpec('cron:* * * * *'), /expected 6 or 7 cron fields/);
  });
});

describe('cron expressions', () => {
  it('count days of the week from 1 = Sunday', () => {
    // 2025-01-03 is a Friday
    assert.deepEqual(fires('0 0 6 * * 1-5', '2025-01-02T07:00:00Z'), ['2025-01-05T06:00:00', '2025-01-06T06:00:00', '2025-01-07T06:00:00']);
    assert.deepEqual(fires('0 0 0 * * MON-fri/2', '2025-01-05T00:00:00Z'), [
      '2025-01-06T00:00:00',
      '2025-01-08T00:00:00',
      '2025-01-10T00:00:00',
    ]);
    assert.equal(numericWeekdays('0 0 6 * * 1-5'), 'Sunday, Monday, Tuesday, Wednesday, Thursday');
    assert.equal(numericWeekdays('0 0 6 * * MON'), undefined);
    assert.match(problem('0 0 0 * * 0'), /invalid days of week '0': expected 1 to 7/);
  });

  it('need both kinds of days to match', () => {
    assert.deepEqual(fires('0 0 0 13 * fri', '2025-01-01T00:00:00Z', 2), ['2025-06-13T00:00:00', '2026-02-13T00:00:00']);
  });

  it('have steps after points, names in any case, years, and shorthands', () => {
    assert.deepEqual(fires('5/20 0 0 1 JAN,march *', '2025-01-01T00:00:06Z', 3), [
      '2025-01-01T00:00:25',
      '2025-01-01T00:00:45',
      '2025-03-01T00:00:05',
    ]);
    assert.deepEqual(fires('0 0 0 1 1 ? 2030', '2025-01-01T00:00:00Z'), ['2030-01-01T00:00:00']);
    assert.deepEqual(fires('0 0 0 1 1 * 2020', '2025-01-01T00:00:00Z'), []);
    assert.deepEqual(fires('0 0 0 30 2 *', '2025-01-01T00:00:00Z'), []);
    assert.deepEqual(fires('@weekly', '2025-01-01T00:00:00Z', 1), ['2025-01-05T00:00:00']);
    assert.deepEqual(fires('@hourly', '2025-01-01T00:00:00Z', 1), ['2025-01-01T01:00:00']);
  });

  it('are refused when a field is none', () => {
    for (const text of [
      '* * * * *',
      '60 * * * * *',
      '* * * 22-2 * *',
      '* * * * * Sat-Sun',
      '* * * * * MON/2',
      '*/0 * * * * *',
      '? * * * * *',
      'a * * * * *',
      '1,, * * * * *',
      '@reboot',
      '* * * * * * 1969',
    ]) {
      assert.ok(problem(text) !== '', text);
    }
  });
});

describe('times of `every`', () => {
  it('are multiples of the period since the epoch', () => {
    const next = timesOf({ kind: 'every', secs: 10, nanos: 0 });
    assert.equal(next(1_700_000_003_000), 1_700_000_010_000);
    assert.equal(next(1_700_000_010_000), 1_700_000_020_000);
    assert.equal(timesOf({ kind: 'every', secs: 0, nanos: 1_500_000 })(3), 4.5);
  });
});
