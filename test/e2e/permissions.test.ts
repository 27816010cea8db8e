import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, describe, test } from 'node:test';
import { ROUTE_RIGHTS } from '../../src/server/rights.ts';
import { type May, READERS_OF_A, READERS_OF_B, SAMPLES, STATEMENTS, V2_TOO, WRITERS_OF_A } from './permissions-samples.ts';
import { KINDS, type Kind, LIMITED, params, refusalOf, rows, sharedLimited, sql, v1, write } from './permissions-support.ts';
import { type Ask, ask, REGENERATE, UNAUTHENTICATED } from './security-support.ts';

const limited = sharedLimited();

/** Connections that stay open, as those of most clients: plain writes on them do not come to `node:http` (docs/performance.md, "HTTP lanes"). */
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

after(() => agent.destroy());

function isIn(may: May, kind: Kind): boolean {
  return typeof may === 'string' || kind === 'admin' || kind === 'named' || may.includes(kind);
}

/** Asks with every kind of token, and without a good one; all must get what `may` says. */
async function tryAll(
  label: string,
  path: string,
  options: Ask & { readonly method: string },
  may: May,
  kinds: readonly Kind[] = KINDS,
): Promise<void> {
  const admin = kinds.includes('admin')
    ? await ask(`${limited().url}${path}`, { ...options, agent, token: limited().tokens.admin })
    : undefined;
  if (admin !== undefined) {
    assert.ok(![401, 403].includes(admin.status), `${label}: an admin gets ${admin.status} ${admin.text}`);
    assert.notEqual(admin.text, 'Not found', `${label}: there is no such route`);
  }
  await Promise.all([
    ...kinds.map(async (kind) => {
      const answer = await ask(`${limited().url}${path}`, { ...options, agent, token: limited().tokens[kind] });
      const shown = `${label} as ${kind}: ${answer.status} ${answer.text.slice(0, 200)}`;
      if (isIn(may, kind)) {
        assert.equal(answer.status, admin?.status, shown);
        return;
      }
      assert.equal(answer.status, 403, shown);
      if (options.method === 'HEAD') return;
      const shape = path.startsWith('/api/v2/') ? /^\{"code":"forbidden","message":"[^"]+"\}$/ : /^\{"error": "[^"]+"\}$/;
      assert.match(answer.text, shape, shown);
      assert.match(refusalOf(answer), /may not|needs/, shown);
    }),
    ...[undefined, `${limited().tokens.admin}x`, limited().expired].map(async (token) => {
      const answer = await ask(`${limited().url}${path}`, { ...options, agent, ...(token === undefined ? {} : { token }) });
      if (may === 'anyone') {
        assert.equal(answer.status, admin?.status, `${label} without a token: ${answer.text}`);
        return;
      }
      assert.equal(answer.status, 401, `${label} without a good token: ${answer.text}`);
      if (options.method !== 'HEAD') assert.equal(answer.text, UNAUTHENTICATED, label);
    }),
  ]);
}

describe('tokens with permissions', () => {
  test('every route: each kind of token gets what the route needs, and nothing else', async () => {
    assert.deepEqual(Object.keys(SAMPLES).sort(), Object.keys(ROUTE_RIGHTS).sort());
    for (const [route, { path, may, ...rest }] of Object.entries(SAMPLES)) {
      const method = route.slice(0, route.indexOf(' '));
      await tryAll(route, path, { method, ...rest }, may, path === REGENERATE ? LIMITED : KINDS);
    }
    for (const kind of KINDS) assert.equal((await ask(`${limited().url}/nosuch`, { token: limited().tokens[kind] })).status, 404, kind);
    assert.deepEqual(await rows(limited().url, limited().tokens.admin, 'a', 'SELECT count(*) AS n FROM m'), [{ n: 4 }]);
    const renewed = await ask(`${limited().url}${REGENERATE}`, { method: 'POST', token: limited().tokens.named });
    assert.equal(renewed.status, 201);
    limited().tokens = { ...limited().tokens, admin: (JSON.parse(renewed.text) as { token: string }).token };
  });

  test('every InfluxQL statement: on the databases that it names, whatever the request says', async () => {
    for (const [q, db, may] of STATEMENTS) {
      const query = params({ q, ...(db === undefined ? {} : { db }) });
      await tryAll(q, `/query?${query}`, { method: 'POST' }, may);
      if (!V2_TOO.has(q)) continue;
      const bucket = db === undefined ? {} : { bucket: db };
      await tryAll(`v2: ${q}`, '/api/v2/query', { method: 'POST', json: JSON.stringify({ type: 'influxql', query: q, ...bucket }) }, may);
    }
    await tryAll('rp', `/query?${params({ q: 'SELECT v FROM m', db: 'a', rp: 'week' })}`, { method: 'GET' }, [...READERS_OF_A, 'policyA']);
    await tryAll('v3', `/api/v3/query_influxql?${params({ q: 'SELECT v FROM b.autogen.m' })}`, { method: 'GET' }, READERS_OF_B);
    await tryAll('v3 policy', `/api/v3/query_influxql?${params({ q: 'SELECT v FROM m', db: 'a/week' })}`, { method: 'GET' }, [
      ...READERS_OF_A,
      'policyA',
    ]);
    await tryAll('v3 list', `/api/v3/query_influxql?${params({ q: 'SHOW MEASUREMENTS ON b' })}`, { method: 'GET' }, READERS_OF_B);
  });

  test('a request with one statement that is refused carries out none of the others', async () => {
    const q = 'SELECT v INTO a.autogen.half FROM a.autogen.m; DROP DATABASE a';
    assert.equal((await v1(limited().url, limited().tokens.bothA, q)).status, 403);
    const { text } = await v1(limited().url, limited().tokens.admin, 'SHOW MEASUREMENTS ON a');
    assert.match(text, /"m"/);
    assert.doesNotMatch(text, /half/);
  });

  test('policies of v1 and v2 writes: a database stands for its policies, a policy for itself', async () => {
    for (const [path, may] of [
      ['/write?db=a&rp=week', [...WRITERS_OF_A, 'policyA']],
      ['/write?db=a%2Fweek', [...WRITERS_OF_A, 'policyA']],
      ['/write?db=a&rp=autogen', WRITERS_OF_A],
      ['/api/v2/write?bucket=a%2Fweek', [...WRITERS_OF_A, 'policyA']],
      ['/api/v3/write_lp?db=a%2Fweek', [...WRITERS_OF_A, 'policyA']],
      ['/write?db=b&rp=week', ['bothB', 'readAWriteB', 'writeAll', 'bothAll']],
      ['/api/v2/write?bucket=b', ['bothB', 'readAWriteB', 'writeAll', 'bothAll']],
    ] as const) {
      await tryAll(path, path, { method: 'POST', body: 'm v=1i 4000' }, may);
    }
    const body = '{"start":"1960-01-01T00:00:00Z","stop":"1960-01-02T00:00:00Z"}';
    await tryAll('delete', '/api/v2/delete?bucket=a%2Fweek', { method: 'POST', body }, [...WRITERS_OF_A, 'policyA']);
  });

  test('a token in the URL or as password has the same permissions', async () => {
    const q = (token: string, db: string): string => `${limited().url}/query?${params({ q: 'SELECT v FROM m', db, u: 'any', p: token })}`;
    assert.equal((await ask(q(limited().tokens.readA, 'a'))).status, 200);
    assert.equal((await ask(q(limited().tokens.readA, 'b'))).status, 403);
    assert.equal((await ask(q(limited().tokens.readA, 'a'), { token: limited().tokens.writeA })).status, 200); // the parameter wins
    const basic = `Basic ${Buffer.from(`any:${limited().tokens.writeA}`).toString('base64')}`;
    assert.equal((await ask(`${limited().url}/write?db=a`, { authorization: basic, body: 'm v=1i 5000' })).status, 204);
    assert.equal((await ask(`${limited().url}/write?db=b`, { authorization: basic, body: 'm v=1i 5000' })).status, 403);
    assert.equal(
      (await ask(`${limited().url}/write?db=b&p=${limited().tokens.writeA}`, { token: limited().tokens.admin, body: 'm v=1i 5000' }))
        .status,
      403,
    );
  });

  test('a refusal names the permission and the database, and is the same whether the database is there or not', async () => {
    const token = limited().tokens.bothA;
    const texts = async (db: string): Promise<string[]> => {
      const answers = await Promise.all([
        sql(limited().url, token, db, 'SELECT 1'),
        ask(`${limited().url}/api/v3/query_sql`, { token, json: JSON.stringify({ db, q: 'nonsense' }) }),
        v1(limited().url, token, 'SELECT v FROM m', db),
        v1(limited().url, token, `SHOW RETENTION POLICIES ON ${db}`),
        ask(`${limited().url}/api/v3/query_influxql?${params({ db, q: 'SHOW MEASUREMENTS' })}`, { token }),
        write(limited().url, token, db, 'm v=1'),
        write(limited().url, token, db, 'not a line'),
        ask(`${limited().url}/write?${params({ db })}`, { token, body: 'm v=1' }),
        ask(`${limited().url}/api/v2/write?${params({ bucket: db })}`, { token, body: 'm v=1' }),
        ask(`${limited().url}/api/v2/delete?${params({ bucket: db })}`, { token, body: '{}' }),
      ]);
      return answers.map(({ status, text }) => `${status} ${text.replaceAll(`'${db}'`, `'<db>'`).replaceAll(`:${db}:`, ':<db>:')}`);
    };
    const refused = await texts('zz');
    assert.deepEqual(await texts('b'), refused);
    // a database that is there may have a policy that requests without one mean, and names of policies in other letters
    for (const q of ['CREATE DATABASE e', 'CREATE RETENTION POLICY Keep ON e DURATION 1d REPLICATION 1 DEFAULT']) {
      assert.equal((await v1(limited().url, limited().tokens.admin, q)).text, '{"results":[{"statement_id":0}]}');
    }
    assert.deepEqual(await texts('e'), refused);
    assert.equal(
      (await sql(limited().url, token, 'b', 'SELECT 1')).text,
      `{"error": "the token may not read the database 'b', it needs the permission db:b:read"}`,
    );
    assert.equal(
      (await write(limited().url, token, 'b', 'm v=1')).text,
      `{"error": "the token may not write the database 'b', it needs the permission db:b:write"}`,
    );
    assert.equal(
      (await ask(`${limited().url}/metrics`, { token })).text,
      '{"error": "the token may not read the metrics of the server, it needs the permission system:metrics:read"}',
    );
    assert.equal((await v1(limited().url, token, 'DROP DATABASE b')).text, '{"error": "this needs an admin token"}');
    const engine = (path: string) => ask(`${limited().url}/api/v3/engine/${path}`, { token: limited().tokens.bothB });
    assert.deepEqual((await engine('hello')).text, (await engine('nosuch')).text);
    assert.equal((await ask(`${limited().url}/api/v3/engine/nosuch`, { token: limited().tokens.admin })).status, 404);
    // whoever may read a name hears whether it is there
    assert.equal((await sql(limited().url, limited().tokens.nowhere, 'nowhere', 'SELECT 1')).status, 404);
    assert.equal(
      (await rows(limited().url, limited().tokens.admin, '_internal', 'SELECT database_name FROM system.databases')).some(
        (row) => row['database_name'] === 'zz',
      ),
      false,
    );
  });
});
