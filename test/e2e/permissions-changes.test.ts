import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { FlightTestClient, tableOf } from '../support/flight-client.ts';
import { rows as valuesOf } from '../support/flight-sql-client.ts';
import { startServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { runProgram } from './cli-support.ts';
import { makeToken, params, rows, sql, v1, write } from './permissions-support.ts';
import { ask, filesBelow, formsOf, makeOperator } from './security-support.ts';

const BARE = { bare: true, args: ['--disable-telemetry-upload'] };

async function deleteToken(url: string, admin: string, name: string): Promise<void> {
  const answer = await ask(`${url}/api/v3/configure/token?${params({ token_name: name })}`, { method: 'DELETE', token: admin });
  assert.equal(answer.status, 200, answer.text);
}

test('a resource token is stored as its hash and keeps its permissions over kills, restarts, backup and restore', async (t) => {
  const dir = await testDirectory(t);
  const cwd = await testDirectory(t);
  const first = await startServer(t, dir, BARE);
  const admin = await makeOperator(first.url);
  await write(first.url, admin, 'other', 'm v=1i 1');
  const token = await makeToken(first.url, admin, 'limited', ['db:mine:read,write', 'system:health:read']);
  const gone = await makeToken(first.url, admin, 'gone', ['db:mine:read']);
  await deleteToken(first.url, admin, 'gone');

  const holds = async (url: string): Promise<void> => {
    assert.equal((await write(url, token, 'mine', 'm v=1i 1')).status, 204);
    assert.equal((await sql(url, token, 'mine', 'SELECT v FROM m')).status, 200);
    assert.equal((await write(url, token, 'other', 'm v=2i 1')).status, 403);
    assert.equal((await sql(url, token, 'other', 'SELECT v FROM m')).status, 403);
    assert.equal((await ask(`${url}/api/v3/configure/token/named_admin`, { token, json: '{"token_name":"x"}' })).status, 403);
    assert.equal((await sql(url, gone, 'mine', 'SELECT v FROM m')).status, 401);
    assert.deepEqual(await rows(url, admin, '_internal', "SELECT permissions FROM system.tokens WHERE name = 'limited'"), [
      { permissions: 'db:mine:read,write; system:health:read' },
    ]);
    assert.deepEqual(await rows(url, admin, 'other', 'SELECT v FROM m'), [{ v: 1 }]);
  };
  await holds(first.url);
  await first.kill('SIGKILL');
  const second = await startServer(t, dir, BARE);
  await holds(second.url);
  const backup = await runProgram(['backup', 'kept', '-q', '-H', second.url, '--token', token], { cwd });
  assert.equal(backup.code, 1, backup.stdout);
  assert.match(backup.stderr, /403.*this needs an admin token/);
  assert.equal((await runProgram(['backup', 'kept', '-q', '-H', second.url, '--token', admin], { cwd })).code, 0);

  const place = await testDirectory(t);
  const restored = await runProgram(['restore', 'kept', '-q', '--data-dir', place, '--node-id', 'test'], { cwd });
  assert.equal(restored.code, 0, restored.stderr);
  await holds((await startServer(t, place, BARE)).url);
  for (const file of [...filesBelow(dir), ...filesBelow(join(cwd, 'kept')), ...filesBelow(place)]) {
    const text = readFileSync(file, 'latin1');
    for (const form of formsOf(token)) assert.ok(!text.includes(form), file);
  }
});

test('a deleted token: what runs ends as it began, the next request on the same connection is refused', async (t) => {
  const server = await startServer(t, await testDirectory(t), BARE);
  const { url } = server;
  const admin = await makeOperator(url);
  const token = await makeToken(url, admin, 'reader', ['db:d:read,write']);
  const total = 100_000;
  const lines = Array.from({ length: total / 100 }, (_, i) => `m,s=${i} v=${i}i ${i}`).join('\n');
  assert.equal((await write(url, token, 'd', lines)).status, 204);
  const q = "SELECT a.v, repeat('x', 500) AS pad FROM m AS a CROSS JOIN generate_series(1, 100) AS n";

  // A stream over HTTP that is not read until the token is gone.
  const asked = request(`${url}/api/v3/query_sql?${params({ db: 'd', q, format: 'json_lines' })}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  const client = new FlightTestClient(url, { authorization: `Bearer ${token}`, database: 'd' });
  t.after(async () => client.close());
  let begun = false;
  const flight = client.query(
    { database: 'd', sql_query: q },
    {
      onMessage: () => {
        begun = true;
      },
    },
  );
  await until(() => begun);
  await deleteToken(url, admin, 'reader');

  let count = 0;
  let rest = '';
  for await (const chunk of response) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    count += parts.length;
  }
  assert.equal(count, total);
  const { code, details, messages } = await flight;
  assert.equal(code, 0, details);
  assert.equal(tableOf(messages).numRows, total);
  const next = await client.query({ database: 'd', sql_query: 'SELECT 1' });
  assert.equal(next.code, 16);
  assert.equal((await sql(url, token, 'd', 'SELECT 1')).status, 401);
  assert.equal((await write(url, token, 'd', 'm v=1i 1')).status, 401);
});

test('a token that expires is refused from that moment on, one of the same name gets other permissions', async (t) => {
  const server = await startServer(t, await testDirectory(t), BARE);
  const { url } = server;
  const admin = await makeOperator(url);
  await write(url, admin, 'd', 'm v=1i 1');
  const token = await makeToken(url, admin, 'short', ['db:d:read'], 2);
  const statuses = new Set<number>();
  await until(async () => {
    const { status } = await sql(url, token, 'd', 'SELECT v FROM m');
    statuses.add(status);
    return status === 401;
  });
  for (const status of statuses) assert.ok([200, 401].includes(status), String(status));
  await deleteToken(url, admin, 'short');
  const again = await makeToken(url, admin, 'short', ['db:d:write']);
  assert.equal((await sql(url, again, 'd', 'SELECT v FROM m')).status, 403);
  assert.equal((await write(url, again, 'd', 'm v=2i 2')).status, 204);
  assert.equal((await sql(url, token, 'd', 'SELECT v FROM m')).status, 401);
});

test('without authentication no token can be made, and nothing is limited', async (t) => {
  const { url } = await startServer(t, await testDirectory(t));
  for (const path of ['/api/v3/enterprise/configure/token', '/api/v3/configure/token']) {
    const { status, text } = await ask(`${url}${path}`, { json: '{}' });
    assert.deepEqual([status, text], [405, 'endpoint disabled, started without auth'], path);
  }
  assert.equal((await write(url, 'anything', 'd', 'm v=1i 1')).status, 204);
  assert.equal((await v1(url, 'anything', 'DROP DATABASE d')).status, 200);
});

/** Each client has a database of its own, may read that of the one before it, and tries all others. */
test('many clients at once: nobody sees or changes rows of a database that is not theirs, while tokens come and go', async (t) => {
  const server = await startServer(t, await testDirectory(t), { ...BARE, env: { UV_THREADPOOL_SIZE: '8' } });
  const { url } = server;
  const admin = await makeOperator(url);
  const clients = 5;
  const rounds = 12;
  const own = (i: number): string => `own${(i + clients) % clients}`;
  /** Rows of a client carry its number, so that one that is in the wrong place is known wherever it turns up. */
  const tokens = await Promise.all(
    Array.from({ length: clients }, (_, i) => makeToken(url, admin, `client ${i}`, [`db:${own(i)}:read,write`, `db:${own(i - 1)}:read`])),
  );
  const onlyOwner = (values: readonly unknown[], owner: number, what: string): void => {
    for (const value of values) assert.equal(Math.floor(Number(value) / 1_000_000), owner, `${what}: ${String(value)}`);
  };
  const ownerOf = (i: number): number => (i + clients) % clients;
  let refusals = 0;

  const client = async (i: number): Promise<void> => {
    const token = tokens[i] as string;
    const flight = new FlightTestClient(url, { authorization: `Bearer ${token}`, database: own(i) });
    try {
      for (let round = 0; round < rounds; round++) {
        const value = i * 1_000_000 + round;
        const lines = `m,c=${i} v=${value}i ${round + 1}`;
        const ways = [
          () => write(url, token, own(i), lines),
          () => ask(`${url}/write?${params({ db: own(i) })}`, { token, body: lines }),
          () => ask(`${url}/api/v2/write?${params({ bucket: own(i) })}`, { token, body: lines }),
        ];
        const stored = await (ways[round % ways.length] as (typeof ways)[0])();
        assert.equal(stored.status, 204, stored.text);
        const mine = await rows(url, token, own(i), 'SELECT v FROM m ORDER BY time');
        assert.equal(mine.length, round + 1);
        onlyOwner(
          mine.map((row) => row['v']),
          i,
          'own rows over HTTP',
        );
        const before = await sql(url, token, own(i - 1), 'SELECT v FROM m');
        if (before.status === 200) {
          onlyOwner(
            (JSON.parse(before.text) as { v: number }[]).map(({ v }) => v),
            ownerOf(i - 1),
            'rows of the one before',
          );
        } else assert.equal(before.status, before.text.includes('database not found') ? 404 : 400, before.text); // not written yet
        const answer = await flight.query({ database: own(i), sql_query: 'SELECT v FROM m' });
        assert.equal(answer.code, 0, answer.details);
        onlyOwner(valuesOf(tableOf(answer.messages)).flat(), i, 'own rows over Flight');

        const foreign = own(i + 1 + (round % (clients - 2)));
        const tried = await Promise.all([
          write(url, token, foreign, `m,c=${i} v=${value}i ${round + 1}`),
          write(url, token, own(i - 1), `m,c=${i} v=${value}i ${round + 1}`),
          sql(url, token, foreign, 'SELECT v FROM m'),
          v1(url, token, `SELECT v FROM ${foreign}.autogen.m`, own(i)),
          v1(url, token, `SELECT v INTO ${foreign}.autogen.m FROM m`, own(i)),
          v1(url, token, 'DELETE FROM m WHERE time > 0', foreign),
          v1(url, token, 'DROP MEASUREMENT m', own(i)),
        ]);
        for (const { status, text } of tried) assert.equal(status, 403, text);
        const denied = await flight.query({ database: foreign, sql_query: 'SELECT v FROM m' });
        assert.deepEqual([denied.code, denied.messages.length], [7, 0]);
        refusals += tried.length + 1;
      }
    } finally {
      flight.close();
    }
  };

  let done = false;
  /** Makes and deletes tokens beside them; a new token works at once, a deleted one never again. */
  const changes = async (): Promise<void> => {
    for (let n = 0; !done || n < 5; n++) {
      const name = `passing ${n % 3}`;
      const db = own(n);
      const token = await makeToken(url, admin, name, [`db:${db}:read`]);
      const { status, text } = await sql(url, token, own(n + 1), 'SELECT v FROM m');
      assert.equal(status, 403, text);
      assert.notEqual((await sql(url, token, db, 'SELECT v FROM m')).status, 403);
      await deleteToken(url, admin, name);
      assert.equal((await sql(url, token, db, 'SELECT v FROM m')).status, 401);
    }
  };
  const beside = changes();
  try {
    await Promise.all(tokens.map((_, i) => client(i)));
  } finally {
    done = true;
    await beside;
  }
  assert.equal(refusals, clients * rounds * 8);
  for (let i = 0; i < clients; i++) {
    const found = await rows(url, admin, own(i), 'SELECT v FROM m ORDER BY v');
    assert.deepEqual(
      found.map((row) => row['v']),
      Array.from({ length: rounds }, (_, round) => i * 1_000_000 + round),
      own(i),
    );
  }
});
