import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldType, InfluxDB, toNanoDate } from 'influx';
import { type GuardedServer, sharedServer } from './support.ts';

const schema = [
  {
    measurement: 'cpu',
    tags: ['host'],
    fields: { usage: FieldType.FLOAT, count: FieldType.INTEGER, note: FieldType.STRING, on: FieldType.BOOLEAN },
  },
];

/** The client as v1 users set it up: user name and password, the password being the token. */
function client({ server, token }: GuardedServer, database = 'v1db', password = token): InfluxDB {
  const { hostname, port } = new URL(server.url);
  const pool = { requestTimeout: 120_000 }; // its own thirty seconds are few on a busy machine
  return new InfluxDB({ host: hostname, port: Number(port), protocol: 'http', database, username: 'any', password, schema, pool });
}

const shared = sharedServer();

describe('influx', () => {
  test('ping finds the server on line, with its version', async () => {
    const guarded = shared();
    const [host] = await client(guarded).ping(5000);
    assert.equal(host?.online, true);
    assert.match(host?.version ?? '', /^3\./);
  });

  test('writePoints with user name and token, every field type', async () => {
    const guarded = shared();
    await client(guarded).writePoints([
      {
        measurement: 'cpu',
        tags: { host: 'a b' },
        fields: { usage: 0.5, count: 3, note: 'say "hi"', on: true },
        timestamp: toNanoDate('1700000000123456789'),
      },
    ]);
    assert.deepEqual(await guarded.rows('v1db', 'SELECT host, usage, count, note, "on", time FROM cpu'), [
      { host: 'a b', usage: 0.5, count: 3, note: 'say "hi"', on: true, time: '2023-11-14T22:13:20.123456789' },
    ]);
  });

  test('the precisions of the client mean the same instant', async () => {
    const guarded = shared();
    const influx = client(guarded, 'precisions');
    const date = new Date(1_700_000_000_000);
    for (const precision of ['n', 'u', 'ms', 's'] as const) {
      await influx.writePoints([{ measurement: 'cpu', tags: { host: precision }, fields: { count: 1 }, timestamp: date }], { precision });
    }
    assert.deepEqual(await guarded.rows('precisions', 'SELECT count(*) AS n, count(DISTINCT time) AS times, max(time) AS t FROM cpu'), [
      { n: 4, times: 1, t: '2023-11-14T22:13:20' },
    ]);
  });

  test('database and retention policy name the target', async () => {
    const guarded = shared();
    const influx = client(guarded);
    const point = { measurement: 'cpu', tags: { host: 'a' }, fields: { count: 1 }, timestamp: new Date(0) };
    await influx.writePoints([point], { database: 'other', retentionPolicy: 'autogen' });
    await influx.writePoints([point], { database: 'other', retentionPolicy: 'Week' });
    assert.deepEqual(await guarded.rows('other', 'SELECT count(*) AS n FROM cpu'), [{ n: 1 }]);
    assert.deepEqual(await guarded.rows('other/week', 'SELECT count(*) AS n FROM cpu'), [{ n: 1 }]);
  });

  test('refusals reach the caller with status and text', async () => {
    const guarded = shared();
    const point = { measurement: 'cpu', tags: { host: 'a' }, fields: { count: 1 } };
    await assert.rejects(
      client(guarded, 'v1db', 'wrong').writePoints([point]),
      /A 401 Unauthorized error occurred: \{"error": "the request was not authenticated"\}/,
    );
    await assert.rejects(
      client(guarded).writePoints([point], { database: 'no good' }),
      /A 400 Bad Request error occurred: \{"error":"namespace name 'no good' contains invalid character, character number 2 is not allowed"\}/,
    );
  });

  test("query returns rows with their tags, the client's own helpers list what is there", async () => {
    const guarded = shared();
    const influx = client(guarded, 'queried');
    for (const [host, usage] of [
      ['a', 1.5],
      ['b', 2.5],
      ['b', 3.5],
    ] as const) {
      await influx.writePoints([
        { measurement: 'cpu', tags: { host }, fields: { usage }, timestamp: new Date(1_700_000_000_000 + usage * 1000) },
      ]);
    }
    const rows = await influx.query<{ host: string; mean: number }>('SELECT mean(usage) FROM cpu GROUP BY host');
    assert.deepEqual(
      rows.map(({ host, mean }) => [host, mean]),
      [
        ['a', 1.5],
        ['b', 3],
      ],
    );
    const [last] = await influx.query<{ time: Date; usage: number }>('SELECT usage FROM cpu ORDER BY time DESC LIMIT 1');
    assert.equal(last?.usage, 3.5);
    assert.equal(new Date(last?.time ?? 0).toISOString(), '2023-11-14T22:13:23.500Z');
    assert.deepEqual(await influx.getMeasurements(), ['cpu']);
    assert.ok((await influx.getDatabaseNames()).includes('queried'));
    await assert.rejects(influx.query('SELECT usage FROM cpu WHERE time != 1'), /invalid time comparison operator: !=/);
  });

  test("databases, policies, measurements and series through the client's own functions", async () => {
    const influx = client(shared(), 'made');
    await influx.createDatabase('made');
    await influx.createRetentionPolicy('week', { database: 'made', duration: '1w', replication: 1 });
    assert.deepEqual(
      (await influx.showRetentionPolicies('made')).map(({ name }) => name),
      ['autogen', 'week'],
    );
    await influx.writePoints([{ measurement: 'cpu', tags: { host: 'a' }, fields: { count: 1 }, timestamp: new Date(0) }]);
    assert.deepEqual(await influx.getSeries(), ['cpu,host=a']);
    await influx.dropSeries({ measurement: (m) => m.name('cpu'), where: (e) => e.tag('host').equals.value('a') });
    assert.equal((await influx.query('SELECT count FROM cpu')).length, 0);
    await influx.dropMeasurement('cpu');
    assert.deepEqual(await influx.getMeasurements(), []);
    await influx.dropRetentionPolicy('week', 'made');
    await influx.dropDatabase('made');
    assert.ok(!(await influx.getDatabaseNames()).includes('made'));
    await assert.rejects(influx.createUser('a', 'b'), /users and grants are tokens here/);
  });
});
