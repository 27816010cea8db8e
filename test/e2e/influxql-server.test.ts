import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { oneSeries, v1Client } from './v1-support.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };
const { ask, error, values, write } = v1Client(() => server.url);

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  await write({ db: 'd' }, Array.from({ length: 2000 }, (_, i) => `m,host=h${i % 9} v=${i}i ${i}`).join('\n'));
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

/** Takes longer than any test waits. */
const ENDLESS = 'SELECT count(*) FROM m AS a, m AS b, m AS c, m AS e WHERE a.v + b.v > c.v + e.v';

describe('queries that run', () => {
  it('are listed, and end when they are told to', async () => {
    const columns = ['qid', 'query', 'database', 'duration', 'status'];
    assert.deepEqual(await ask('SHOW QUERIES', {}, 'GET'), oneSeries(columns, []));
    const answer = server.sql('d', ENDLESS).then(async (response) => [response.status, await response.text()]);
    const row = await until(async () => (await values('SHOW QUERIES'))?.[0]);
    const [number, text, database, duration, status] = row;
    assert.deepEqual([text, database, status], [ENDLESS, 'd', 'running']);
    assert.match(String(duration), /^\d+(?:s|ms|µs)$/);
    assert.equal(await error(`KILL QUERY ${number}`, {}, 'GET'), 'KILL QUERY changes data, please use a POST request');
    assert.deepEqual(await ask(`KILL QUERY ${number} ON "localhost"`), {});
    assert.deepEqual(await answer, [500, 'query error: the query was ended by KILL QUERY']);
    assert.deepEqual(await values('SHOW QUERIES'), []);
    assert.equal(await error(`KILL QUERY ${number}`), `no such query id: ${number}`);
    const logged = await server.sql('d', "SELECT phase FROM system.queries WHERE query_text LIKE '%count(*)%e.v'");
    assert.match(await logged.text(), /"phase":"cancel"/);
  });

  it('hear it on /query too', async () => {
    const slow = 'SELECT sum(v) FROM m GROUP BY time(1ns), host fill(0)';
    const answer = ask(slow, { db: 'd', chunked: 'false' });
    const [number] = await until(async () => (await values('SHOW QUERIES'))?.[0]);
    assert.deepEqual(await ask(`KILL QUERY ${number}`), {});
    const result = await answer;
    assert.match(JSON.stringify(result), /GROUP BY time would make more than|ended by KILL QUERY/);
  });
});

describe('what the server says of itself', () => {
  it('diagnostics in the series of InfluxDB 1', async () => {
    const { series } = (await ask('SHOW DIAGNOSTICS', {}, 'GET')) as { series: { name: string; columns: string[]; values: unknown[][] }[] };
    assert.deepEqual(
      series.map(({ name }) => name),
      ['build', 'network', 'runtime', 'storage', 'system'],
    );
    const member = (name: string, column: string): unknown => {
      const found = series.find((each) => each.name === name);
      return found?.values[0]?.[found.columns.indexOf(column)];
    };
    assert.equal(member('system', 'PID'), server.child.pid);
    assert.match(String(member('build', 'Version')), /^3\.10\.0/);
    assert.equal(member('storage', 'tables'), 1);
    assert.match(String(member('system', 'uptime')), /^\d+m?s$/);
    const one = (await ask("SHOW DIAGNOSTICS FOR 'build'")) as { series: unknown[] };
    assert.equal(one.series.length, 1);
  });

  it('statistics: the metrics of the server with their labels', async () => {
    const lines = await ask("SHOW STATS FOR 'influxdb3_write_lines_total'");
    assert.deepEqual(lines, { series: [{ name: 'influxdb3_write_lines_total', tags: { db: 'd' }, columns: ['value'], values: [[2000]] }] });
    const { series } = (await ask('SHOW STATS')) as { series: { name: string; columns: string[] }[] };
    assert.deepEqual(series.find(({ name }) => name === 'http_request_duration_seconds')?.columns.sort(), ['count', 'sum']);
    const v3 = await fetch(`${server.url}/api/v3/query_influxql?q=SHOW+STATS`);
    assert.deepEqual([v3.status, await v3.text()], [405, 'This feature is not implemented: SHOW STATS']);
  });
});
