import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../fuzz/random.ts';
import { influxdb1Missing, startInfluxdb1 } from '../support/influxdb1.ts';
import { startServer, testDirectory } from '../support/server.ts';
import { dataLines, statement } from './influxdb1-statements.ts';
import { wideLines, wideStatement } from './influxdb1-wide.ts';

/** Of each kind; `STATEMENTS` in the environment asks more. */
const STATEMENTS = Number(process.env['STATEMENTS'] ?? 250);

/** `SEED` in the environment asks other statements about other data. */
const seed = Number(process.env['SEED'] ?? 1);

const reason = influxdb1Missing === undefined ? '' : `: skipped, ${influxdb1Missing}`;

/** Sums of floats depend on the order of the rows in their last digits: the twelfth of the result, or the ninth behind the point where much was taken off. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(Number(value.toPrecision(12)).toFixed(9)) : value;
}

async function ask(url: string, q: string): Promise<string> {
  const response = await fetch(`${url}/query?${new URLSearchParams({ db: 'd', q, epoch: 'ns' })}`, { method: 'POST' });
  return JSON.stringify(await response.json(), rounded);
}

test(`InfluxQL as InfluxDB 1.6.7 answers it, seed ${seed}${reason}`, { skip: influxdb1Missing !== undefined }, async (t) => {
  const judge = await startInfluxdb1(t);
  const ours = (await startServer(t, await testDirectory(t))).url;
  const random = new Random(seed);
  const body = [...dataLines(random), ...wideLines(random)].join('\n');
  for (const url of [judge, ours]) {
    assert.equal(await ask(url, 'CREATE DATABASE d'), '{"results":[{"statement_id":0}]}');
    assert.equal((await fetch(`${url}/write?db=d`, { method: 'POST', body })).status, 204);
  }
  const different: string[] = [];
  for (let i = 0; i < 2 * STATEMENTS; i++) {
    const q = i % 2 === 0 ? statement(random) : wideStatement(random);
    const [expected, actual] = await Promise.all([ask(judge, q), ask(ours, q)]);
    if (actual !== expected) different.push(`${q}\n  InfluxDB 1: ${expected.slice(0, 400)}\n  here:       ${actual.slice(0, 400)}`);
  }
  assert.deepEqual(different, []);
});
