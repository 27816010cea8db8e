import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InfluxDBClient, Point } from '@influxdata/influxdb3-client';
import { FlightTestClient } from '../support/flight-client.ts';
import { sharedServer } from './support.ts';

const guarded = sharedServer();

/** The client's own ten seconds for a write are few on a busy machine. */
const PATIENCE = { writeTimeout: 120_000, queryTimeout: 120_000 };

/** The published v3 client for JavaScript, closed after its use. */
async function withClient<T>(database: string, use: (client: InfluxDBClient) => Promise<T>): Promise<T> {
  const { server, token } = guarded();
  const client = new InfluxDBClient({ host: server.url, token, database, ...PATIENCE });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

describe('the official v3 client', () => {
  it('writes points and reads them back as rows', async () => {
    await withClient('rows', async (client) => {
      const point = Point.measurement('home')
        .setTag('room', 'Küche')
        .setFloatField('temp', 21.5)
        .setIntegerField('hum', 40)
        .setUintegerField('n', 7)
        .setStringField('note', 'a "b" ü')
        .setBooleanField('ok', true)
        .setTimestamp('1640995200123456789');
      await client.write(point, undefined, undefined, { precision: 'ns' });
      await client.write('home,room=x temp=1 1640995201000000000', undefined, undefined, { precision: 'ns' });
      const rows = await collect(client.query('SELECT * FROM home ORDER BY time'));
      assert.deepEqual(rows, [
        { hum: 40, n: 7n, note: 'a "b" ü', ok: true, room: 'Küche', temp: 21.5, time: 1640995200123.4568 },
        { hum: null, n: null, note: null, ok: null, room: 'x', temp: 1, time: 1640995201000 },
      ]);
    });
  });

  it('makes points of rows: tags and fields are told apart', async () => {
    await withClient('points', async (client) => {
      await client.write('home,room=x temp=1.5,hum=3i 1640995200000000000', undefined, undefined, { precision: 'ns' });
      const [values] = await collect(client.queryPoints('SELECT room, temp, hum, time FROM home'));
      assert.ok(values);
      assert.deepEqual(
        [values.getTag('room'), values.getFloatField('temp'), values.getIntegerField('hum'), values.getTimestamp()],
        ['x', 1.5, 3, 1640995200000],
      );
      assert.deepEqual([values.getTagNames(), values.getFieldNames().sort()], [['room'], ['hum', 'temp']]);
    });
  });

  it('asks InfluxQL, with parameters, and for no rows', async () => {
    await withClient('influxql', async (client) => {
      await client.write('home,room=x temp=1.5 1640995200000000000\nhome,room=y temp=3 1640995200000000000', undefined, undefined, {
        precision: 'ns',
      });
      const rows = await collect(client.query('SELECT mean(temp) AS m FROM home GROUP BY room', undefined, { type: 'influxql' }));
      assert.deepEqual(
        rows.map((row) => [row['iox::measurement'], row['room'], row['m']]),
        [
          ['home', 'x', 1.5],
          ['home', 'y', 3],
        ],
      );
      const sql = 'SELECT room FROM home WHERE room = $room AND temp > $temp';
      assert.deepEqual(await collect(client.query(sql, undefined, { type: 'sql', params: { room: 'y', temp: 2 } })), [{ room: 'y' }]);
      assert.deepEqual(await collect(client.query(sql, undefined, { type: 'sql', params: { room: 'x', temp: 2 } })), []);
    });
  });

  it('a hundred thousand rows arrive whole and in order', async () => {
    await withClient('many', async (client) => {
      await client.write('m v=1', undefined, undefined);
      let next = 1;
      for await (const row of client.query("SELECT value AS n, 'text ' || value AS t FROM generate_series(1, 100000)")) {
        if (row['n'] !== BigInt(next) || row['t'] !== `text ${next}`) assert.fail(`row ${next}: ${row['n']} ${row['t']}`);
        next++;
      }
      assert.equal(next, 100_001);
    });
  });

  it('hears of failures by the names of their codes', async () => {
    const failure = async (client: InfluxDBClient, sql: string, database?: string): Promise<string> =>
      collect(client.query(sql, database)).then(
        () => 'no failure',
        (error: unknown) => String((error as { readonly code?: unknown }).code),
      );
    await withClient('failures', async (client) => {
      await client.write('m v=1', undefined, undefined);
      assert.equal(await failure(client, 'SELEC'), 'INVALID_ARGUMENT');
      assert.equal(await failure(client, 'SELECT * FROM nope'), 'INVALID_ARGUMENT');
      assert.equal(await failure(client, 'SELECT 1', 'nope'), 'NOT_FOUND');
    });
    const { server } = guarded();
    const stranger = new InfluxDBClient({ host: server.url, token: 'apiv3_wrong', database: 'failures', ...PATIENCE });
    assert.equal(await failure(stranger, 'SELECT 1'), 'UNAUTHENTICATED');
    await stranger.close();
  });

  it('no header, another scheme, a good token in three forms, an expired one', async () => {
    const { server, token } = guarded();
    const headers = { authorization: `Bearer ${token}` };
    const created = await fetch(`${server.url}/api/v3/configure/token/named_admin`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ token_name: 'old', expiry_secs: 0 }),
    });
    assert.equal(created.status, 201, await created.clone().text());
    const { token: expired } = (await created.json()) as { token: string };
    await fetch(`${server.url}/api/v3/write_lp?db=auth`, { method: 'POST', headers, body: 'm v=1' });
    const client = new FlightTestClient(server.url);
    const code = async (authorization: string | undefined): Promise<number> => {
      const sent = authorization === undefined ? {} : { headers: { authorization } };
      return (await client.query({ database: 'auth', sql_query: 'SELECT 1' }, sent)).code;
    };
    assert.deepEqual(
      [
        await code(undefined),
        await code(`bearer ${token}`),
        await code('Bearer apiv3_wrong'),
        await code(`Bearer ${expired}`),
        await code(`Bearer ${token}`),
        await code(`Token ${token}`),
        await code(`Basic ${Buffer.from(`user:${token}`).toString('base64')}`),
      ],
      [16, 16, 16, 7, 0, 0, 0],
    );
    client.close();
  });
});
