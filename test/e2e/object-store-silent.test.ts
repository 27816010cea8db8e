import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FIRST_SECOND, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeGoogle, type FakeGoogleRequest } from '../support/fake-google.ts';
import type { TestServer } from '../support/server.ts';

/** A server whose requests to its bucket have an hour each, and a bucket that stops answering some of them when it is told to. */
async function start(
  t: TestContext,
  args: readonly string[] = RESTLESS,
  known?: FakeGoogle,
): Promise<{ readonly server: TestServer; readonly fake: FakeGoogle }> {
  const fake = known ?? (await FakeGoogle.start(t));
  fake.open = true;
  const account = await fake.keyFile(t, { gcs_base_url: fake.url, disable_oauth: true });
  const store = ['--object-store', 'google', '--bucket', fake.bucket, '--google-service-account', account];
  const patience = ['--object-store-request-timeout', '1h', '--object-store-retry-timeout', '1h'];
  const server = await startBucketServer(t, [...store, ...patience], { args });
  return { server, fake };
}

/** From now on these requests have no answer. Returns how many there were. */
function silence(fake: FakeGoogle, which: (request: FakeGoogleRequest) => boolean): () => number {
  let count = 0;
  fake.fault = (request) => {
    if (!which(request)) return undefined;
    count++;
    return 'no answer';
  };
  return () => count;
}

const line = (n: number): string => `m,k=k${n % 7} v=${n}i ${FIRST_SECOND + n}000000000`;

describe('a server whose bucket has no answer to some requests', () => {
  it('stops while a Parquet file is put', async (t) => {
    const { server, fake } = await start(t);
    await server.writeOk('db', line(0));
    const puts = silence(fake, ({ key, method }) => method === 'PUT' && key.includes('/dbs/'));
    for (let n = 1; puts() === 0; n++) await server.writeOk('db', line(n));
    assert.equal(await server.kill('SIGTERM'), 0, server.output);
  });

  it('ends a query that waits for a file at its time limit, and stops meanwhile', async (t) => {
    const { server, fake } = await start(t);
    for (
      let n = 0;
      (await server.rows('db', "SELECT * FROM system.parquet_files WHERE table_name = 'm'").catch(() => [])).length === 0;
      n++
    )
      await server.writeOk('db', line(n));
    assert.equal(await server.kill('SIGTERM'), 0, server.output);
    const next = await start(t, ['--query-timeout', '300ms'], fake);
    const gets = silence(fake, ({ key, method }) => method === 'GET' && key.includes('/dbs/'));
    // Loading DuckDB takes of the time of the first one.
    for (let asked = 0; gets() === 0; asked++) {
      assert.ok(asked < 20, 'no file is asked for');
      const answer = await next.server.sql('db', 'SELECT count(v) AS n FROM m');
      assert.deepEqual([answer.status, await answer.text()], [500, 'query error: the query ran longer than the server allows']);
    }
    assert.equal(await next.server.kill('SIGTERM'), 0, next.server.output);
  });
});
