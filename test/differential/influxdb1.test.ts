import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { influxdb1 } from '../bench/peers/influxdb1.ts';
import { Random } from '../fuzz/random.ts';
import { startServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { ensureDebianPackage } from '../tooling/ensure-debian-package.ts';
import { dataLines, statement } from './influxdb1-statements.ts';

const STATEMENTS = 300;

/** `SEED` in the environment asks other statements about other data. */
const seed = Number(process.env['SEED'] ?? 1);

const found = ensureDebianPackage('influxd', 'influxdb');
const reason = found.kind === 'missing' ? `: skipped, ${found.reason}` : '';

/** A port that is free, and the next one too. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : assert.fail('no port');
}

async function startInfluxdb1(t: TestContext): Promise<string> {
  const port = await freePort();
  const { args } = influxdb1.command(await testDirectory(t), port);
  const program = found.kind === 'found' ? found.path : assert.fail(found.reason);
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await exited;
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => ((await fetch(`${url}/ping`).catch(() => undefined))?.status === 204 ? true : undefined));
  return url;
}

/** Sums of floats depend on the order of the rows in their last digits: the twelfth of the result, or the ninth behind the point where much was taken off. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(Number(value.toPrecision(12)).toFixed(9)) : value;
}

async function ask(url: string, q: string): Promise<string> {
  const response = await fetch(`${url}/query?${new URLSearchParams({ db: 'd', q, epoch: 'ns' })}`, { method: 'POST' });
  return JSON.stringify(await response.json(), rounded);
}

test(`InfluxQL as InfluxDB 1.6.7 answers it, seed ${seed}${reason}`, { skip: found.kind === 'missing' }, async (t) => {
  const judge = await startInfluxdb1(t);
  const ours = (await startServer(t, await testDirectory(t))).url;
  const random = new Random(seed);
  const body = dataLines(random).join('\n');
  for (const url of [judge, ours]) {
    assert.equal(await ask(url, 'CREATE DATABASE d'), '{"results":[{"statement_id":0}]}');
    assert.equal((await fetch(`${url}/write?db=d`, { method: 'POST', body })).status, 204);
  }
  const different: string[] = [];
  for (let i = 0; i < STATEMENTS; i++) {
    const q = statement(random);
    const [expected, actual] = await Promise.all([ask(judge, q), ask(ours, q)]);
    if (actual !== expected) different.push(`${q}\n  InfluxDB 1: ${expected.slice(0, 400)}\n  here:       ${actual.slice(0, 400)}`);
  }
  assert.deepEqual(different, []);
});
