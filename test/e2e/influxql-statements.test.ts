import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

/** The result of one statement. */
async function ask(q: string, params: Readonly<Record<string, string>> = {}, method = 'POST'): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/query?${new URLSearchParams({ q, ...params })}`, { method });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { results } = JSON.parse(text) as { results: Record<string, unknown>[] };
  assert.equal(results.length, 1, text);
  const { statement_id, ...rest } = results[0] ?? {};
  assert.equal(statement_id, 0);
  return rest;
}

const error = async (q: string, params: Readonly<Record<string, string>> = {}, method = 'POST'): Promise<unknown> =>
  (await ask(q, params, method))['error'];

const series = (columns: readonly string[], values: readonly unknown[][], name?: string): unknown => ({
  series: [{ ...(name === undefined ? {} : { name }), columns, values }],
});

async function write(db: string, lines: string, rp = ''): Promise<void> {
  const response = await fetch(`${server.url}/write?db=${db}&rp=${rp}`, { method: 'POST', body: lines });
  assert.equal(response.status, 204, await response.text());
}

describe('statements of /query that change something', () => {
  it('databases come and go; creating twice and dropping what is not there is fine', async () => {
    for (const _ of [1, 2]) assert.deepEqual(await ask('CREATE DATABASE "made"'), {});
    assert.match(JSON.stringify(await ask('SHOW DATABASES')), /"made"/);
    assert.equal(await error('CREATE DATABASE made WITH DURATION 2h'), 'retention policy conflicts with an existing policy');
    assert.match(String(await error('CREATE DATABASE "no good"')), /invalid character in database or rp name/);
    await write('made', 'm v=1', 'week');
    for (const _ of [1, 2]) assert.deepEqual(await ask('DROP DATABASE made'), {});
    assert.doesNotMatch(JSON.stringify(await ask('SHOW DATABASES')), /"made/, 'its policies went with it');
  });

  it('need a POST, and the endpoint of v1', async () => {
    assert.equal(await error('CREATE DATABASE x', {}, 'GET'), 'CREATE DATABASE changes data, please use a POST request');
    const v3 = await fetch(`${server.url}/api/v3/query_influxql?q=CREATE+DATABASE+x`);
    assert.deepEqual([v3.status, await v3.text()], [405, 'This feature is not implemented: CREATE DATABASE']);
  });

  it('retention policies are databases with a duration', async () => {
    await ask('CREATE DATABASE d');
    for (const _ of [1, 2]) assert.deepEqual(await ask('CREATE RETENTION POLICY "Week" ON d DURATION 1w REPLICATION 1'), {});
    assert.equal(await error('CREATE RETENTION POLICY week ON d DURATION 2w'), 'retention policy already exists');
    assert.equal(await error('CREATE RETENTION POLICY short ON d DURATION 5m'), 'retention policy duration must be at least 1h0m0s');
    assert.equal(await error('CREATE RETENTION POLICY p ON nope DURATION 2h'), 'database not found: nope');
    assert.deepEqual(await ask('ALTER RETENTION POLICY week ON d DURATION 3d'), {});
    assert.equal(await error('SELECT v FROM "d"."nope"."m"'), 'retention policy not found: nope');
    assert.equal(await error('ALTER RETENTION POLICY zz ON d DURATION 3d'), 'retention policy not found: zz');
    const columns = ['name', 'duration', 'shardGroupDuration', 'replicaN', 'default'];
    const rows = [
      ['autogen', '0s', '168h0m0s', 1, true],
      ['week', '72h0m0s', '24h0m0s', 1, false],
    ];
    assert.deepEqual(await ask('SHOW RETENTION POLICIES ON d'), series(columns, rows, 'retention_policies'));
    const time = `${BigInt(Date.now()) * 1_000_000n}`;
    await write('d', `m v=1 ${time}`, 'week');
    for (const params of [{ db: 'd' }, { db: 'd', rp: 'autogen' }] as const)
      assert.match(JSON.stringify(await ask('SELECT v FROM "week"."m"', params)), /,1\]/);
    assert.match(JSON.stringify(await ask('SELECT v FROM "week"."m"', { db: 'd', rp: 'week' })), /,1\]/, 'as Grafana sends both');
    assert.match(String(await error('DROP RETENTION POLICY autogen ON d')), /is the database 'd' itself/);
    for (const _ of [1, 2]) assert.deepEqual(await ask('DROP RETENTION POLICY week ON d'), {});
    assert.deepEqual(await ask('SHOW RETENTION POLICIES ON d'), series(columns, rows.slice(0, 1), 'retention_policies'));
  });

  it('shard durations and replication factors are kept as they were given, and have no effect', async () => {
    await ask('CREATE DATABASE sharded WITH DURATION 3d REPLICATION 2 SHARD DURATION 2h NAME first');
    const conflict = 'retention policy conflicts with an existing policy';
    assert.equal(await error('CREATE DATABASE sharded WITH DURATION 3d REPLICATION 2 SHARD DURATION 3h NAME first'), conflict);
    assert.equal(await error('CREATE DATABASE sharded WITH DURATION 3d NAME first'), conflict);
    const shown = async (): Promise<unknown> => {
      const { series: lists } = (await ask('SHOW RETENTION POLICIES ON sharded')) as { series: { values: unknown[][] }[] };
      return lists[0]?.values.slice(1).map(([name, duration, shard, replicas]) => `${name} ${duration} ${shard} ${replicas}`);
    };
    for (const statement of [
      'CREATE RETENTION POLICY a ON sharded DURATION 1w REPLICATION 1 SHARD DURATION 30m',
      'CREATE RETENTION POLICY c ON sharded DURATION 1w REPLICATION 3 SHARD DURATION 0s',
      'CREATE RETENTION POLICY c ON sharded DURATION 1w REPLICATION 3',
      'CREATE RETENTION POLICY e ON sharded DURATION 1d REPLICATION 1',
      'ALTER RETENTION POLICY e ON sharded DURATION 4d',
      'ALTER RETENTION POLICY c ON sharded SHARD DURATION 3h',
    ]) {
      assert.deepEqual(await ask(statement), {}, statement);
    }
    const rows = ['first 72h0m0s 2h0m0s 2', 'a 168h0m0s 1h0m0s 1', 'c 168h0m0s 3h0m0s 3', 'e 96h0m0s 1h0m0s 1'];
    assert.deepEqual(await shown(), rows);
    const tooLong = 'retention policy duration must be greater than the shard duration';
    assert.equal(await error('CREATE RETENTION POLICY b ON sharded DURATION 1h REPLICATION 1 SHARD DURATION 3h'), tooLong);
    assert.equal(await error('ALTER RETENTION POLICY e ON sharded DURATION 2d SHARD DURATION 3d'), tooLong);
    assert.equal(await error('CREATE RETENTION POLICY a ON sharded DURATION 1w REPLICATION 2'), 'retention policy already exists');
    assert.deepEqual(await ask('ALTER RETENTION POLICY c ON sharded REPLICATION 4 DURATION 2h'), {});
    assert.deepEqual(await shown(), rows.with(2, 'c 2h0m0s 1h0m0s 4'), 'longer than the policy lives no shard can be');
  });

  it('rows go by time and tags, whole series, whole measurements', async () => {
    const values = async (m: string): Promise<unknown> =>
      ((await ask(`SELECT v FROM ${m}`, { db: 'rows', epoch: 'ns' }))['series'] as { values: unknown[][] }[] | undefined)?.[0]?.values;
    await write('rows', 'a,host=x v=1 1\na,host=y v=2 2\na v=3 3\na,host=x v=4 4\nb f="x",v=5 5\nc v=6 6');
    assert.deepEqual(await ask("DELETE FROM a WHERE host = 'x' AND time < 4", { db: 'rows' }), {});
    assert.deepEqual(await values('a'), [
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
    assert.deepEqual(await ask("DROP SERIES FROM a WHERE host = ''", { db: 'rows' }), {});
    assert.deepEqual(await values('a'), [
      [2, 2],
      [4, 4],
    ]);
    const refusal = "rows are deleted by conditions on time and on tags with = and != 'value', joined by AND";
    for (const where of ["host = 'x' OR time < 9", 'host =~ /x/', 'v > 1']) {
      assert.equal(await error(`DELETE FROM a WHERE ${where}`, { db: 'rows' }), refusal, where);
    }
    assert.equal(await error("DELETE FROM b WHERE f = ''", { db: 'rows' }), 'fields not supported in WHERE clause during deletion');
    assert.equal(await error('DROP SERIES FROM a WHERE time < 9', { db: 'rows' }), "DROP SERIES doesn't support time in WHERE clause");
    assert.deepEqual(await values('b'), [[5, 5]], 'refused deletes take nothing');
    assert.deepEqual(await ask('DELETE WHERE time <= 4', { db: 'rows' }), {});
    assert.deepEqual([await values('a'), await values('b')], [undefined, [[5, 5]]]);
    assert.deepEqual(await ask('DELETE FROM /^[bz]/', { db: 'rows' }), {});
    assert.deepEqual([await values('b'), await values('c')], [undefined, [[6, 6]]]);
    for (const _ of [1, 2]) assert.deepEqual(await ask('DROP MEASUREMENT c', { db: 'rows' }), {});
    assert.deepEqual(await values('c'), undefined);
    await write('rows', 'c v=7 7');
    assert.deepEqual(await values('c'), [[7, 7]]);
    assert.equal(await error('DELETE FROM a', { db: 'nope' }), 'database not found: nope');
  });

  it('users and grants are refused with the way that works', async () => {
    for (const q of ["CREATE USER a WITH PASSWORD 'b'", 'GRANT ALL TO a', 'DROP USER a', "SET PASSWORD FOR a = 'b'"]) {
      assert.match(String(await error(q)), /^(?:user not found: )?users and grants are tokens here: /, q);
    }
  });
});

describe('lists and counts of /query', () => {
  before(() => write('lists', 'm\\ x,b=1,a=2\\ 3 v=1 1\nm\\ x,a=1 v=1,w=2 1\nn v=1 1\nn v=2 2'));

  it('series, escaped and in order', async () => {
    const all = [['m\\ x,a=1'], ['m\\ x,a=2\\ 3,b=1'], ['n']];
    assert.deepEqual(await ask('SHOW SERIES', { db: 'lists' }), series(['key'], all));
    assert.deepEqual(await ask('SHOW SERIES LIMIT 1 OFFSET 1', { db: 'lists' }), series(['key'], all.slice(1, 2)));
    assert.deepEqual(await ask("SHOW SERIES ON lists FROM /m/ WHERE a = '1'"), series(['key'], all.slice(0, 1)));
  });

  it('cardinalities', async () => {
    const counts = async (q: string): Promise<unknown> => ask(`SHOW ${q}`, { db: 'lists' });
    assert.deepEqual(await counts('SERIES CARDINALITY'), series(['cardinality estimation'], [[3]]));
    assert.deepEqual(await counts('MEASUREMENT CARDINALITY'), series(['cardinality estimation'], [[2]]));
    assert.deepEqual(await counts('MEASUREMENT EXACT CARDINALITY'), series(['count'], [[2]]));
    const byTable = (m: number, n?: number): unknown => ({
      series: [
        { name: 'm x', columns: ['count'], values: [[m]] },
        ...(n === undefined ? [] : [{ name: 'n', columns: ['count'], values: [[n]] }]),
      ],
    });
    assert.deepEqual(await counts('SERIES EXACT CARDINALITY'), byTable(2, 1));
    assert.deepEqual(await counts('TAG KEY CARDINALITY'), byTable(2));
    assert.deepEqual(await counts('FIELD KEY CARDINALITY'), byTable(2, 1));
    assert.deepEqual(await counts('TAG VALUES CARDINALITY WITH KEY = a'), byTable(2));
  });

  it('empty lists have their columns in every format', async () => {
    assert.deepEqual(await ask('SHOW USERS'), series(['user', 'admin'], []));
    assert.deepEqual(await ask('SHOW CONTINUOUS QUERIES', {}, 'GET'), series(['name', 'query'], []));
    const chunked = await fetch(`${server.url}/query?q=SHOW+USERS&chunked=true`);
    assert.equal(await chunked.text(), '{"results":[{"statement_id":0,"series":[{"columns":["user","admin"],"values":[]}]}]}\n');
    const v3 = await fetch(`${server.url}/api/v3/query_influxql?q=SHOW+USERS`);
    assert.deepEqual([v3.status, await v3.text()], [200, '[]']);
  });
});
