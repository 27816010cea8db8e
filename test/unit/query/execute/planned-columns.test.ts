import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { QueryResult, ResultColumn } from '../../../../src/query/result.ts';
import { Session } from '../../../differential/session.ts';
import { deferred } from '../../../support/deferred.ts';
import { until } from '../../../support/until.ts';

async function openSession(
  t: TestContext,
  columns: { readonly bytesMax: number; readonly onPause?: () => void } = { bytesMax: 0 },
): Promise<Session> {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-planned-'));
  const session = await Session.open({
    directory,
    columnBytesMax: columns.bytesMax,
    onPause: () => columns.onPause?.(),
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
  let asked = 0;
  writes.snapshot = async (...args) => {
    asked++;
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
  await until(() => asked === 2);
  leaving.abort();
  late.abort(new DOMException('too long', 'TimeoutError')); // as AbortSignal.timeout does
  await Promise.all([
    assert.rejects(answers[0] as Promise<unknown>, { code: 'QUERY_CANCELLED' }),
    assert.rejects(answers[1] as Promise<unknown>, { code: 'QUERY_TIMEOUT' }),
  ]);
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

test('what computes piece by piece from columns in memory ends with its client and at its time limit', async (t) => {
  let pauses = 0;
  const counted = (): void => {
    pauses++;
  };
  let onPause = counted;
  const session = await openSession(t, { bytesMax: 10_000_000, onPause: () => onPause() });
  await session.write(Array.from({ length: 20_000 }, (_, i) => `m,host=a value=${i} ${i + 2}`));
  const query = 'SELECT sum(value) AS s FROM m';
  const ask = (signal?: AbortSignal): Promise<QueryResult> =>
    session.askColumns({ database: 'db', query, params: new Map(), ...(signal ? { signal } : {}) });
  (await ask()).cancel();
  pauses = 0;
  (await ask()).cancel();
  const whole = pauses;
  assert.ok(whole > 4, `only ${whole} pieces`);
  for (const [reason, code] of [
    [undefined, 'QUERY_CANCELLED'],
    [new DOMException('too long', 'TimeoutError'), 'QUERY_TIMEOUT'],
  ] as const) {
    const leaving = new AbortController();
    pauses = 0;
    onPause = () => {
      counted();
      leaving.abort(reason);
    };
    await assert.rejects(ask(leaving.signal), { code });
    onPause = counted;
    const atOnce = pauses;
    // A question after it has its pieces in between: what went on would show.
    (await ask()).cancel();
    assert.equal(pauses - atOnce, whole);
    assert.equal(atOnce, 1);
  }
});

test('a statement that nobody waits for any more when its turn comes is not compiled', async (t) => {
  const session = await openSession(t);
  // It would be refused.
  const request = { database: 'db', query: 'SELECT no_such_column FROM m', params: new Map(), signal: AbortSignal.abort() };
  await assert.rejects(session.ask(request), { code: 'QUERY_CANCELLED' });
});
