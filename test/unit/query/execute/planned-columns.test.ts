import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { QueryResult, ResultColumn } from '../../../../src/query/result.ts';
import { Session } from '../../../differential/session.ts';
import { deferred } from '../../../support/deferred.ts';
import { until } from '../../../support/until.ts';

async function openSession(t: TestContext): Promise<Session> {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-planned-'));
  const session = await Session.open({
    directory,
    columnBytesMax: 0,
    onPause: () => undefined,
    onError: (error) => assert.fail(String(error)),
  });
  t.after(async () => {
    await session.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  await session.write(['m,host=a value=1 1']);
  return session;
}

test('a query ends while its files are waited for, and lets them go when they come', async (t) => {
  const session = await openSession(t);
  const { writes } = session.store;
  const snapshot = writes.snapshot.bind(writes);
  const files = deferred();
  let held = 0;
  writes.snapshot = async (...args) => {
    await files.promise;
    const taken = await snapshot(...args);
    held++;
    return { ...taken, release: () => held-- };
  };
  const leaving = new AbortController();
  const late = new AbortController();
  const ask = (signal: AbortSignal): Promise<unknown> =>
    session.ask({ database: 'db', query: 'SELECT * FROM m', params: new Map(), signal });
  const answers = [leaving, late].map(({ signal }) => ask(signal));
  await new Promise(setImmediate);
  leaving.abort();
  late.abort(new DOMException('too long', 'TimeoutError')); // as AbortSignal.timeout does
  await assert.rejects(answers[0] as Promise<unknown>, { code: 'QUERY_CANCELLED' });
  await assert.rejects(answers[1] as Promise<unknown>, { code: 'QUERY_TIMEOUT' });
  files.resolve();
  const result = (await ask(new AbortController().signal)) as QueryResult;
  result.cancel();
  await until(() => held === 0);
});

test('columns that are told before the rows are those of the rows, whatever fields come meanwhile', async (t) => {
  const session = await openSession(t);
  let told: Promise<readonly ResultColumn[]> | undefined;
  const result = await session.ask({
    database: 'db',
    query: 'SELECT * FROM m WHERE value > 0.5 ORDER BY time',
    params: new Map(),
    onPlanned: (columns) => {
      told = session.write(['m,host=a value=2,late=1i 2']).then(columns);
    },
  });
  assert.deepEqual(await told, result.columns);
  assert.deepEqual(
    result.columns.map(({ name }) => name),
    ['host', 'time', 'value'],
  );
  const after = await session.ask({ database: 'db', query: 'SELECT * FROM m', params: new Map() });
  assert.equal(after.columns.length, 4);
  result.cancel();
  after.cancel();
});
