import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { v1Client } from './v1-support.ts';

let server: TestServer;
let directory: string;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };
const { ask, error, values, write } = v1Client(() => server.url);

before(async () => {
  directory = await testDirectory(suite);
  server = await startServer(suite, directory);
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

/** Name, duration and whether it is the default. */
async function policies(db: string): Promise<unknown[][] | undefined> {
  return (await values(`SHOW RETENTION POLICIES ON ${db}`))?.map(([name, duration, , , isDefault]) => [name, duration, isDefault]);
}

const v = (db: string, params: Readonly<Record<string, string>> = {}, from = 'm') =>
  values(`SELECT v FROM ${from}`, { db, epoch: 'ns', ...params });

describe('the default retention policy', () => {
  it('takes the writes and answers the queries that name none', async () => {
    await ask('CREATE DATABASE d');
    await write({ db: 'd' }, 'm v=1 1');
    assert.deepEqual(await ask('CREATE RETENTION POLICY "Week" ON d DURATION INF REPLICATION 1 DEFAULT'), {});
    assert.deepEqual(await policies('d'), [
      ['autogen', '0s', false],
      ['week', '0s', true],
    ]);
    await write({ db: 'd' }, 'm v=2 2');
    const v2 = await fetch(`${server.url}/api/v2/write?bucket=d`, { method: 'POST', body: 'm v=3 3' });
    assert.equal(v2.status, 204);
    const week = [
      [2, 2],
      [3, 3],
    ];
    assert.deepEqual(await v('d'), week);
    assert.deepEqual(await v('d', { rp: 'default' }), week, 'a name for the default');
    assert.deepEqual(await v('d', { rp: 'autogen' }), [[1, 1]]);
    assert.deepEqual(await values('SHOW MEASUREMENTS', { db: 'd' }), [['m']]);
    for (const [from, params] of [
      ['d..m', {}],
      ['"Week".m', { db: 'd' }],
      ['"week".m', { db: 'd', rp: 'week' }],
      ['"d"."WEEK"."m"', { db: 'other' }],
    ] as const) {
      assert.deepEqual(await values(`SELECT v FROM ${from}`, { epoch: 'ns', ...params }), week, from);
    }
    const v3 = await server.sql('d', 'SELECT v FROM m');
    assert.equal(await v3.text(), '[{"v":1.0}]', 'names of v3 are names of databases');
  });

  it('is there after a restart, from the log and from a snapshot of the catalog', async () => {
    await server.kill('SIGKILL');
    server = await startServer(suite, directory);
    assert.deepEqual((await v('d'))?.length, 2);
    await write({ db: 'd', rp: 'autogen' }, 'm v=4 4');
    await write({ db: 'd' }, 'm v=5 5');
    assert.deepEqual(await v('d', { rp: 'autogen' }), [
      [1, 1],
      [4, 4],
    ]);
    assert.deepEqual((await v('d'))?.length, 3);
  });

  it('is moved by ALTER, and goes back to the database itself with its policy', async () => {
    assert.deepEqual(await ask('ALTER RETENTION POLICY autogen ON d DEFAULT'), {});
    assert.deepEqual((await v('d'))?.length, 2);
    assert.deepEqual(await ask('ALTER RETENTION POLICY week ON d DURATION 2h DEFAULT'), {});
    assert.deepEqual(await policies('d'), [
      ['autogen', '0s', false],
      ['week', '2h0m0s', true],
    ]);
    assert.deepEqual(await ask('DROP RETENTION POLICY week ON d'), {});
    assert.deepEqual(await policies('d'), [['autogen', '0s', true]]);
    await write({ db: 'd' }, 'm v=6 6');
    assert.deepEqual((await v('d'))?.length, 3);
    assert.deepEqual(await ask('CREATE RETENTION POLICY week ON d DURATION 2h REPLICATION 1'), {});
    assert.deepEqual((await policies('d'))?.[0], ['autogen', '0s', true], 'one of the same name is not the default');
    assert.equal(await error('ALTER RETENTION POLICY nope ON d DEFAULT'), 'retention policy not found: nope');
  });

  it('counts for nothing while its database is deleted', async () => {
    assert.deepEqual(await ask('CREATE DATABASE e WITH DURATION 3h REPLICATION 1 NAME "month"'), {});
    assert.deepEqual(await ask('CREATE DATABASE e WITH DURATION 3h REPLICATION 1 NAME "month"'), {}, 'as the client says it at each start');
    const conflict = 'retention policy conflicts with an existing policy';
    assert.equal(await error('CREATE DATABASE e WITH DURATION 4h REPLICATION 1 NAME "month"'), conflict);
    assert.deepEqual(await policies('e'), [
      ['autogen', '0s', false],
      ['month', '3h0m0s', true],
    ]);
    const now = String(BigInt(Date.now()) * 1_000_000n);
    await write({ db: 'e' }, `m v=1 ${now}`);
    const gone = await fetch(`${server.url}/api/v3/configure/database?db=e/month`, { method: 'DELETE' });
    assert.equal(gone.status, 200);
    assert.deepEqual(await policies('e'), [['autogen', '0s', true]]);
    await write({ db: 'e' }, 'm v=2 2');
    assert.deepEqual(await v('e'), [[2, 2]]);
  });

  it('changes of rows that name no policy are about all of them, as in InfluxDB 1', async () => {
    await ask('CREATE DATABASE f');
    await ask('CREATE RETENTION POLICY p ON f DURATION INF REPLICATION 1 DEFAULT');
    const times = async (): Promise<unknown> => {
      const of = async (rp: string): Promise<unknown> => (await v('f', { rp }))?.map(([time]) => time);
      return [await of('autogen'), await of('p')];
    };
    for (const rp of ['autogen', 'p']) await write({ db: 'f', rp }, 'm v=1 1\nm v=2 2\nm v=3 3');
    await ask('DELETE FROM m WHERE time = 1', { db: 'f' });
    assert.deepEqual(await times(), [
      [2, 3],
      [2, 3],
    ]);
    await ask('DELETE FROM p.m WHERE time = 2', { db: 'f' });
    assert.deepEqual(await times(), [[2, 3], [3]]);
    await ask('DROP MEASUREMENT m', { db: 'f', rp: 'autogen' });
    assert.deepEqual(await times(), [undefined, [3]]);
    await ask('DROP MEASUREMENT m', { db: 'f' });
    assert.deepEqual(await times(), [undefined, undefined]);
  });

  it('rows of a bucket are deleted where they are', async () => {
    await ask('CREATE DATABASE g');
    await ask('CREATE RETENTION POLICY p ON g DURATION INF REPLICATION 1 DEFAULT');
    for (const rp of ['autogen', 'p']) await write({ db: 'g', rp }, 'm v=1 1\nm v=2 2');
    const remove = async (bucket: string): Promise<number> => {
      const body = JSON.stringify({ start: '1970-01-01T00:00:00Z', stop: '1970-01-01T00:00:00.000000001Z' });
      return (await fetch(`${server.url}/api/v2/delete?bucket=${bucket}`, { method: 'POST', body })).status;
    };
    assert.equal(await remove('g'), 204);
    assert.deepEqual([await v('g'), (await v('g', { rp: 'autogen' }))?.length], [[[2, 2]], 2]);
    assert.equal(await remove('g/autogen'), 204);
    assert.deepEqual(await v('g', { rp: 'autogen' }), [[2, 2]]);
  });
});
