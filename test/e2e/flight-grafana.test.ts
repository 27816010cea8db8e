import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sharedFlight } from '../support/flight-server.ts';
import { askCommand, command } from '../support/flight-sql-client.ts';

const LINES = Array.from(
  { length: 60 },
  (_, i) => `weather,room=${i % 2 === 0 ? 'hall' : 'attic'} temp=${i} ${(1_700_000_000n + BigInt(i) * 10n) * 1_000_000_000n}`,
);
const flight = sharedFlight({ database: 'db', authorization: 'Bearer any' }, LINES.join('\n'));

/** What Grafana's SQL data source sends for a statement: CommandStatementQuery, then the ticket of the only endpoint. */
async function grafana(sql: string): Promise<unknown[]> {
  const table = await askCommand(flight.client, command('CommandStatementQuery', [[1, sql]]));
  return table.toArray().map((row) => row.toJSON());
}

describe('statements as the SQL data source of Grafana sends them', () => {
  const from = "cast('2023-11-14T22:13:20Z' as timestamp)";
  const to = "cast('2023-11-14T23:13:20Z' as timestamp)";

  it('the health check', async () => {
    assert.equal((await grafana('select 1')).length, 1);
  });

  it('the tables and columns of its query builder', async () => {
    assert.deepEqual(await grafana('SELECT "table_name" FROM "information_schema"."tables" WHERE "table_schema" = \'iox\''), [
      { table_name: 'weather' },
    ]);
    const columns = await grafana('SELECT "column_name" FROM "information_schema"."columns" WHERE "table_name" = \'weather\'');
    assert.deepEqual(columns, [{ column_name: 'room' }, { column_name: 'temp' }, { column_name: 'time' }]);
  });

  it('macros for bins, ranges and groups of time', async () => {
    const bin = "date_bin(interval '60 second', time, timestamp '1970-01-01T00:00:00Z')";
    const binned = await grafana(
      `SELECT ${bin} as time_binned, avg(temp) FROM weather WHERE time >= ${from} AND time <= ${to} GROUP BY time_binned ORDER BY time_binned`,
    );
    assert.equal(binned.length, 11);
    assert.equal(
      (await grafana(`SELECT ${bin}, room, max(temp) FROM weather WHERE time > now() - interval '100 years' GROUP BY 1, room`)).length,
      22,
    );
    const parts =
      "datepart('minute', time) as time_minute,datepart('hour', time) as time_hour,datepart('day', time) as time_day,datepart('month', time) as time_month,datepart('year', time) as time_year";
    const groups = "datepart('minute', time),datepart('hour', time),datepart('day', time),datepart('month', time),datepart('year', time)";
    assert.equal((await grafana(`SELECT ${parts}, count(*) FROM weather GROUP BY ${groups}`)).length, 11);
    assert.equal((await grafana(`SELECT * FROM weather WHERE time >= ${from} AND time <= ${to} LIMIT 50`)).length, 50);
  });
});
