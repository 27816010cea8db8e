import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Table, tableFromIPC } from 'apache-arrow';
import { writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { FlightTestClient } from '../support/flight-client.ts';
import { CPU_AND_MEM, sharedFlight } from '../support/flight-server.ts';
import { askCommand, command, descriptor, refused, rows } from '../support/flight-sql-client.ts';

const flight = sharedFlight({ database: 'db' }, CPU_AND_MEM);

const ask = (cmd: Uint8Array, headers?: Readonly<Record<string, string>>): Promise<Table> => askCommand(flight.client, cmd, headers);

describe('Flight SQL', () => {
  it('statements: what GetFlightInfo says is what DoGet sends', async () => {
    const statements = [
      'SELECT time, host AS h, f, f * 2 AS g FROM cpu ORDER BY time',
      'SELECT * FROM cpu WHERE false',
      'SELECT host, count(*) AS n, avg(f), array_agg(i) FROM cpu GROUP BY host ORDER BY host',
      "SELECT DATE '2024-01-01' AS d, INTERVAL '1 day' AS i, now() AS n, 'x' AS s, NULL AS z, sha512(host) AS q FROM cpu",
      "SELECT date_bin(INTERVAL '1 hour', time) AS t, max(f) FROM cpu WHERE time >= '2022-01-01' GROUP BY 1 ORDER BY 1",
      'SELECT a.time, b.time AS u FROM cpu a LEFT JOIN mem b ON a.host = b.host',
      'EXPLAIN SELECT 1',
      'SHOW TABLES',
      'DESCRIBE cpu',
      'SELECT * FROM system.queries LIMIT 1',
    ];
    for (const query of statements) assert.ok((await ask(command('CommandStatementQuery', [[1, query]]))).schema.fields.length > 0, query);
    const table = await ask(command('CommandStatementQuery', [[1, 'SELECT host, f FROM cpu ORDER BY time']]));
    assert.deepEqual(rows(table), [
      ['a', 1.5],
      ['b', 2],
    ]);
    const logged = await flight.server.rows(
      'db',
      "SELECT query_type, phase FROM system.queries WHERE query_text = 'CommandStatementQuery SELECT host, f FROM cpu ORDER BY time'",
    );
    assert.deepEqual(logged, [{ query_type: 'flightsql', phase: 'success' }]);
  });

  it('statements may be InfluxQL', async () => {
    const table = await ask(command('CommandStatementQuery', [[1, 'SELECT f FROM cpu GROUP BY host']]), {
      'x-influxdata-query-language': 'influxql',
    });
    assert.equal(table.numRows, 2);
    assert.ok(table.schema.metadata.has('iox::influxql::group_key::metadata'));
    const shown = await ask(command('CommandStatementQuery', [[1, 'SHOW MEASUREMENTS']]), { 'x-influxdata-query-language': 'influxql' });
    assert.deepEqual(rows(shown), [
      ['measurements', 'cpu'],
      ['measurements', 'mem'],
    ]);
  });

  it('InfluxQL statements about the server answer too, those that change something are refused', async () => {
    const headers = { 'x-influxdata-query-language': 'influxql' };
    for (const query of [
      'SHOW DATABASES',
      'SHOW RETENTION POLICIES',
      'SHOW USERS',
      'SHOW CONTINUOUS QUERIES',
      'EXPLAIN SELECT f FROM cpu',
    ]) {
      assert.ok((await ask(command('CommandStatementQuery', [[1, query]]), headers)).schema.fields.length > 0, query);
    }
    for (const query of ['DROP MEASUREMENT cpu', 'CREATE DATABASE x', 'DELETE FROM cpu']) {
      const info = descriptor(command('CommandStatementQuery', [[1, query]]));
      assert.equal((await flight.client.call('GetFlightInfo', [info], { headers })).code, 3, query);
      const ticket = JSON.stringify({ database: 'db', sql_query: query, query_type: 'influxql' });
      assert.equal((await flight.client.get(ticket)).code, 3, query);
    }
    assert.equal((await ask(command('CommandStatementQuery', [[1, 'SELECT * FROM cpu']]))).numRows, 2);
  });

  it('the database comes from one of four headers', async () => {
    const cmd = descriptor(command('CommandGetCatalogs'));
    const bare = new FlightTestClient(flight.server.url);
    for (const header of ['database', 'bucket', 'bucket-name', 'iox-namespace-name']) {
      assert.equal((await bare.call('GetFlightInfo', [cmd], { headers: { [header]: 'db' } })).code, 0);
    }
    assert.deepEqual(await refused(bare.call('GetFlightInfo', [cmd])), [3, "no 'database' header in request"]);
    const both = await refused(bare.call('GetFlightInfo', [cmd], { headers: { database: 'db', bucket: 'other' } }));
    assert.deepEqual([both[0], both[1].startsWith('More than one headers are found in request: ')], [3, true]);
    assert.equal((await bare.call('GetFlightInfo', [cmd], { headers: { database: 'db', bucket: 'db' } })).code, 0);
    bare.close();
  });

  it('catalogs, schemas, table types and keys', async () => {
    assert.deepEqual(rows(await ask(command('CommandGetCatalogs'))), [['public']]);
    assert.deepEqual(rows(await ask(command('CommandGetDbSchemas'))), [
      ['public', 'information_schema'],
      ['public', 'iox'],
      ['public', 'system'],
    ]);
    assert.deepEqual(rows(await ask(command('CommandGetDbSchemas', [[2, 's%']]))), [['public', 'system']]);
    assert.deepEqual(rows(await ask(command('CommandGetDbSchemas', [[1, 'other']]))), []);
    assert.deepEqual(rows(await ask(command('CommandGetTableTypes'))), [['BASE TABLE'], ['VIEW']]);
    assert.deepEqual(rows(await ask(command('CommandGetTableTypes'), { 'x-influxdata-base-table-type': 'TABLE' })), [['TABLE'], ['VIEW']]);
    for (const name of ['PrimaryKeys', 'ExportedKeys', 'ImportedKeys', 'CrossReference']) {
      assert.equal((await ask(command(`CommandGet${name}`))).numRows, 0);
    }
  });

  it('tables, with their schemas when asked', async () => {
    const all = await ask(command('CommandGetTables'));
    const names = rows(all).map((row) => (row as string[]).slice(1).join(' '));
    assert.deepEqual(names.slice(0, 10), [
      ...['columns', 'df_settings', 'parameters', 'routines', 'schemata', 'tables', 'views'].map(
        (view) => `information_schema ${view} VIEW`,
      ),
      'iox cpu BASE TABLE',
      'iox mem BASE TABLE',
      names[9],
    ]);
    assert.ok(names[9]?.startsWith('system '));
    assert.deepEqual(
      rows(
        await ask(
          command('CommandGetTables', [
            [2, 'iox'],
            [3, '_pu'],
          ]),
        ),
      ),
      [['public', 'iox', 'cpu', 'BASE TABLE']],
    );
    assert.equal((await ask(command('CommandGetTables', [[4, 'VIEW']]))).numRows, 7);
    const withSchema = await ask(
      command('CommandGetTables', [
        [2, 'iox'],
        [5, true],
      ]),
    );
    const schemas = Array.from(withSchema.getChild('table_schema') ?? [], (bytes) => tableFromIPC(bytes as Uint8Array).schema);
    const cpu = await ask(command('CommandStatementQuery', [[1, 'SELECT * FROM cpu WHERE false']]));
    assert.equal(String(schemas[0]), String(cpu.schema));
    assert.deepEqual(
      schemas[0]?.fields.map((field) => [field.nullable, [...field.metadata]]),
      cpu.schema.fields.map((field) => [field.nullable, [...field.metadata]]),
    );
    const everything = await ask(command('CommandGetTables', [[5, true]]));
    assert.equal(everything.numRows, all.numRows);
  });

  it('SqlInfo: all facts, or those that are asked for', async () => {
    const some = await ask(
      command('CommandGetSqlInfo', [
        [1, 0],
        [1, 1],
        [1, 503],
        [1, 508],
        [1, 541],
        [1, 999],
      ]),
    );
    const found = new Map(some.toArray().map((row) => [row['info_name'], row['value']]));
    assert.deepEqual([found.get(1), found.get(503), found.get(541)], ['2', 3, 2147483647n]);
    assert.ok([...(found.get(508) as Iterable<string>)].includes('DISTINCT'));
    assert.equal(found.has(999), false);
    const packed = Buffer.concat([Buffer.from([0x0a, 3]), Buffer.from([3, 0xf7, 0x03])]);
    const url = 'type.googleapis.com/arrow.flight.protocol.sql.CommandGetSqlInfo';
    assert.equal(
      (
        await ask(
          writeMessage([
            [1, url],
            [2, packed],
          ]),
        )
      ).numRows,
      2,
    );
    const all = await ask(command('CommandGetSqlInfo'));
    assert.equal(all.numRows, 86);
    const facts = new Map(all.toArray().map((row) => [row['info_name'], row['value']]));
    assert.deepEqual(
      [facts.get(0), facts.get(3), facts.get(504), facts.get(556), facts.get(555)],
      ['InfluxDB IOx', true, '"', true, 2147483647n],
    );
  });

  it('XdbcTypeInfo', async () => {
    const all = await ask(command('CommandGetXdbcTypeInfo'));
    assert.equal(all.schema.fields.length, 19);
    assert.deepEqual(
      all
        .toArray()
        .map((row) => [
          row['type_name'],
          row['data_type'],
          row['column_size'],
          row['literal_prefix'],
          row['num_prec_radix'],
          row['datetime_subcode'],
        ]),
      [
        ['INTEGER', 4, 32, null, 2, null],
        ['FLOAT', 6, 24, null, 2, null],
        ['INTERVAL', 10, 2147483647, "'", null, 0],
        ['VARCHAR', 12, 2147483647, "'", null, null],
        ['TIMESTAMP', 93, 2147483647, "'", null, null],
      ],
    );
    assert.equal((await ask(command('CommandGetXdbcTypeInfo', [[1, 12]]))).numRows, 1);
  });

  it('unknown commands, commands of other methods, and what is no protobuf', async () => {
    const info = (cmd: Uint8Array): Promise<[number, string]> => refused(flight.client.call('GetFlightInfo', [descriptor(cmd)]));
    assert.deepEqual(await info(command('CommandStatementUpdate')), [
      3,
      'Unsupported FlightSQL message type: type.googleapis.com/arrow.flight.protocol.sql.CommandStatementUpdate',
    ]);
    assert.deepEqual(await info(command('ActionCreatePreparedStatementRequest')), [
      3,
      "Protocol error. Method GetFlightInfo does not expect 'ActionCreatePreparedStatementRequest'",
    ]);
    const garbage = await info(Buffer.from([0xff, 0xff]));
    assert.deepEqual([garbage[0], garbage[1].startsWith('Invalid protobuf: ')], [3, true]);
    assert.deepEqual(await refused(flight.client.call('GetFlightInfo', [Buffer.alloc(0)])), [
      3,
      'No FlightDescriptor in Flight SQL request',
    ]);
    assert.deepEqual(await info(command('CommandStatementQuery', [[1, 'SELECT * FROM nope']])), [
      3,
      "Error while planning Flight SQL : Error during planning: table 'public.iox.nope' not found",
    ]);
    const stranger = new FlightTestClient(flight.server.url, { database: 'stranger' });
    const unknown = await refused(stranger.call('GetFlightInfo', [descriptor(command('CommandStatementQuery', [[1, 'SELECT 1']]))]));
    assert.deepEqual(unknown, [5, "Database 'stranger' not found"]);
    stranger.close();
    assert.equal(
      (
        await flight.client.call('DoAction', [
          writeMessage([
            [1, 'x'],
            [2, command('CommandGetCatalogs')],
          ]),
        ])
      ).code,
      3,
    );
  });
});
