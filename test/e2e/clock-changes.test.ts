import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

const HALF_HOUR_NS = 1_800_000_000_000n;

/** The nights of Berlin's clock changes, from midnight for six hours, and the offset that each hour's bin is shown with. */
const NIGHTS = {
  autumn: {
    from: '2024-10-26T22:00:00Z',
    to: '2024-10-27T04:00:00Z',
    hours: ['00:00:00+02:00', '01:00:00+02:00', '02:00:00+02:00', '02:00:00+01:00', '03:00:00+01:00', '04:00:00+01:00'],
  },
  spring: {
    from: '2024-03-30T23:00:00Z',
    to: '2024-03-31T03:00:00Z',
    hours: ['00:00:00+01:00', '01:00:00+01:00', '03:00:00+02:00', '04:00:00+02:00'],
  },
} as const;

async function influxql(server: TestServer, query: string): Promise<unknown[][]> {
  const response = await fetch(`${server.url}/query?db=db&q=${encodeURIComponent(query)}`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { results } = JSON.parse(text) as { results: { series?: { values: unknown[][] }[]; error?: string }[] };
  assert.equal(results[0]?.error, undefined, text);
  return results[0]?.series?.[0]?.values ?? [];
}

test('SQL, gap filling and InfluxQL have the same bins in nights in which the clock is set', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const lines: string[] = [];
  for (const { from, to } of Object.values(NIGHTS)) {
    for (let ns = BigInt(Date.parse(from)) * 1_000_000n; ns < BigInt(Date.parse(to)) * 1_000_000n; ns += HALF_HOUR_NS)
      lines.push(`m v=1 ${ns}`);
  }
  await server.writeOk('db', lines.join('\n'), '&precision=ns');
  for (const [night, { from, to, hours }] of Object.entries(NIGHTS)) {
    const where = `time >= '${from}' AND time < '${to}'`;
    const wanted = hours.map((hour) => [`${night === 'autumn' ? '2024-10-27' : '2024-03-31'}T${hour}`, 2]);
    const source = "(SELECT tz(time, 'Europe/Berlin') AS time, v FROM m) AS q";
    for (const name of ['date_bin_wallclock', 'date_bin_wallclock_gapfill']) {
      const rows = await server.rows(
        'db',
        `SELECT ${name}(INTERVAL '1 hour', time) AS t, count(v) AS n FROM ${source} WHERE time >= '${from}' AND time < '${to}' GROUP BY ${name}(INTERVAL '1 hour', time) ORDER BY t`,
      );
      assert.deepEqual(
        rows.map((row) => [row['t'], row['n']]),
        wanted,
        `${name}, ${night}`,
      );
    }
    for (const fill of ['none', 'null', '0']) {
      const values = await influxql(server, `SELECT count(v) FROM m WHERE ${where} GROUP BY time(1h) fill(${fill}) tz('Europe/Berlin')`);
      assert.deepEqual(values, wanted, `InfluxQL fill(${fill}), ${night}`);
    }
    const days = await influxql(server, `SELECT count(v) FROM m WHERE ${where} GROUP BY time(1d) tz('Europe/Berlin')`);
    assert.deepEqual(days, [
      [`${night === 'autumn' ? '2024-10-27' : '2024-03-31'}T00:00:00${hours[0].slice(8)}`, lines.length === 0 ? 0 : hours.length * 2],
    ]);
    const areas = await influxql(server, `SELECT integral(v, 1h) FROM m WHERE ${where} GROUP BY time(1h) tz('Europe/Berlin')`);
    assert.deepEqual(
      areas.map(([time]) => time),
      wanted.map(([time]) => time),
    );
  }
});
