import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { differenceOf } from '../../bench/peers/answer.ts';
import { influxdb1 } from '../../bench/peers/influxdb1.ts';
import { influxdb3 } from '../../bench/peers/influxdb3.ts';
import { question } from '../../bench/peers/questions.ts';
import { victoriaMetrics } from '../../bench/peers/victoria.ts';

const START_SECS = 1_704_067_200;
const ours = influxdb3('ours', []);

test('benchmark answers: the same buckets in three formats are the same rows', () => {
  const asked = question('double-groupby-1', 0, START_SECS, 2);
  const rows = [
    { hour: '2024-01-01T00:00:00', hostname: 'host_0', m: 1.5 },
    { hour: '2024-01-01T01:00:00', hostname: 'host_1', m: 2 },
  ];
  const influx = [
    { tags: { hostname: 'host_1' }, columns: ['time', 'mean'], values: [['2024-01-01T01:00:00Z', 2]] },
    {
      tags: { hostname: 'host_0' },
      columns: ['time', 'mean'],
      values: [
        ['2024-01-01T00:00:00Z', 1.5],
        ['2024-01-01T01:00:00Z', null],
      ],
    },
  ];
  const victoria = [
    { metric: { hostname: 'host_0' }, values: [[START_SECS + 3590, '1.5']] },
    { metric: { hostname: 'host_1' }, values: [[START_SECS + 7190, '2']] },
  ];
  const first = ours.answer(JSON.stringify(rows), asked);
  deepEqual(
    [...first],
    [
      [`host_0 ${START_SECS}`, [1.5]],
      [`host_1 ${START_SECS + 3600}`, [2]],
    ],
  );
  equal(differenceOf(first, influxdb1.answer(JSON.stringify({ results: [{ series: influx }] }), asked)), undefined);
  equal(differenceOf(first, victoriaMetrics.answer(JSON.stringify({ status: 'success', data: { result: victoria } }), asked)), undefined);
});

test('benchmark answers: columns named like fields are compared by name, others by place', () => {
  const asked = question('lastpoint', 0, START_SECS, 1);
  const row = { usage_system: 2, usage_user: 1, hostname: 'host_7' };
  const victoria = ['user', 'system'].map((name, index) => ({
    metric: { __name__: `cpu_usage_${name}`, hostname: 'host_7' },
    value: [START_SECS, String(index + 1)],
  }));
  const left = ours.answer(JSON.stringify([row]), asked);
  deepEqual(left.get('host_7 '), [1, 2]);
  equal(differenceOf(left, victoriaMetrics.answer(JSON.stringify({ status: 'success', data: { result: victoria } }), asked)), undefined);
});

test('benchmark answers: one other number, one row less and another row are differences', () => {
  const asked = question('single-groupby-1-1-1', 0, START_SECS, 2);
  const answer = (rows: readonly (readonly [string, number])[]) =>
    ours.answer(JSON.stringify(rows.map(([minute, m]) => ({ minute, m }))), asked);
  const first = answer([
    ['2024-01-01T00:00:00', 3],
    ['2024-01-01T00:01:00', 4],
  ]);
  match(String(differenceOf(first, answer([['2024-01-01T00:00:00', 3]]))), /^2 and 1 rows$/);
  const swapped = answer([
    ['2024-01-01T00:00:00', 4],
    ['2024-01-01T00:01:00', 3],
  ]);
  match(String(differenceOf(first, swapped)), new RegExp(`^row ' ${START_SECS}': \\[3\\] and \\[4\\]$`));
  const moved = answer([
    ['2024-01-01T00:00:00', 3],
    ['2024-01-01T00:02:00', 4],
  ]);
  match(String(differenceOf(first, moved)), /and undefined$/);
});
