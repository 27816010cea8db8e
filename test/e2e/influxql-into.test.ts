import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { oneSeries, v1Client } from './v1-support.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };
const { ask, error, values, write } = v1Client(() => server.url);

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  await write({ db: 'd' }, 'cpu,host=a,dc=x u=1,i=3i,s="q\\"1" 10\ncpu,host=a,dc=y u=3,b=true 20\ncpu,host=b\\ c u=5 10\nmem v=9i 30');
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

const written = (count: number): unknown => oneSeries(['time', 'written'], [['1970-01-01T00:00:00Z', count]], 'result');

describe('SELECT INTO', () => {
  it('writes aggregates with their group tags', async () => {
    assert.deepEqual(
      await ask('SELECT mean(u) AS m, count(u) INTO down FROM cpu WHERE time >= 0 GROUP BY time(1m), host fill(none)', { db: 'd' }),
      written(2),
    );
    assert.deepEqual(await values('SELECT host, m, count FROM down', { db: 'd', epoch: 'ns' }), [
      [0, 'a', 2, 2],
      [0, 'b c', 5, 1],
    ]);
    assert.deepEqual(await values('SHOW FIELD KEYS FROM down', { db: 'd' }), [
      ['count', 'integer'],
      ['m', 'float'],
    ]);
    assert.deepEqual(await values('SHOW TAG KEYS FROM down', { db: 'd' }), [['host']]);
  });

  it('copies whole measurements into another database and policy', async () => {
    await ask('CREATE DATABASE copy');
    await ask('CREATE RETENTION POLICY p ON copy DURATION INF REPLICATION 1');
    assert.deepEqual(await ask('SELECT * INTO "copy"."p".:MEASUREMENT FROM /cpu|mem/ GROUP BY *', { db: 'd' }), written(4));
    for (const q of ['SELECT * FROM cpu', 'SELECT * FROM mem', 'SHOW FIELD KEYS', 'SHOW SERIES FROM cpu']) {
      assert.deepEqual(await ask(q, { db: 'copy', rp: 'p' }), await ask(q.replace('KEYS', 'KEYS FROM /cpu|mem/'), { db: 'd' }), q);
    }
    assert.deepEqual(
      await ask('SELECT * INTO t FROM "d"."autogen".cpu', { db: 'copy' }),
      written(3),
      'tags that are not grouped by become fields',
    );
    assert.deepEqual(await values('SHOW FIELD KEYS FROM t', { db: 'copy' }), [
      ['b', 'boolean'],
      ['dc', 'string'],
      ['host', 'string'],
      ['i', 'integer'],
      ['s', 'string'],
      ['u', 'float'],
    ]);
    assert.deepEqual(await values('SELECT count(host) FROM t', { db: 'copy' }), [['1970-01-01T00:00:00Z', 2]], 'equal times are one row');
  });

  it('needs a POST, a database that is there, and fields of the same types', async () => {
    assert.equal(await error('SELECT u INTO t FROM cpu', { db: 'd' }, 'GET'), 'SELECT INTO changes data, please use a POST request');
    assert.equal(await error('SELECT u INTO nope..t FROM cpu', { db: 'd' }), 'database not found: nope');
    assert.equal(await error('SELECT u INTO nope.t FROM cpu', { db: 'd' }), 'retention policy not found: nope');
    assert.match(String(await error('SELECT u AS v INTO mem FROM cpu', { db: 'd' })), /invalid column type for column 'v'/);
    assert.match(
      String(await error('SELECT u INTO t FROM (SELECT u INTO x FROM cpu)', { db: 'd' })),
      /invalid SELECT statement, expected FROM/,
    );
    assert.deepEqual(await ask('SELECT u INTO t FROM nothing', { db: 'd' }), written(0));
    const v3 = await fetch(`${server.url}/api/v3/query_influxql?${new URLSearchParams({ db: 'd', q: 'SELECT u INTO t FROM cpu' })}`);
    assert.deepEqual([v3.status, await v3.text()], [405, 'This feature is not implemented: INTO']);
  });

  it('writes many rows in pieces', async () => {
    await write(
      { db: 'd' },
      Array.from({ length: 30_000 }, (_, i) => `many,host=h${i % 7} v=${i}i,text="${'x'.repeat(40)}" ${i}`).join('\n'),
    );
    assert.deepEqual(await ask('SELECT * INTO copied FROM many GROUP BY *', { db: 'd' }), written(30_000));
    assert.deepEqual(await values('SELECT count(v), sum(v) FROM copied', { db: 'd' }), [['1970-01-01T00:00:00Z', 30_000, 449_985_000]]);
  });
});
