import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { writeAny } from '../../src/server/flight/protobuf/messages.ts';
import { writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { tableOf } from '../support/flight-client.ts';
import { sharedFlight } from '../support/flight-server.ts';
import { until } from '../support/until.ts';

const flight = sharedFlight();

const READ_INFO = 'type.googleapis.com/influxdata.iox.querier.v1.ReadInfo';

describe('DoGet', () => {
  it('answers each form of ticket', async () => {
    const q = 'SELECT host, i FROM m ORDER BY time';
    const readInfo = writeMessage([
      [1, 'db'],
      [2, q],
      [3, 1],
    ]);
    const json = ['database', 'namespace_name', 'bucket', 'bucket-name'].map((name) => JSON.stringify({ [name]: 'db', sql_query: q }));
    const tickets = [
      ...json,
      JSON.stringify({ database: 'db', sql_query: q, query_type: 'sql', params: {}, is_debug: true }),
      JSON.stringify({ database: 'db', sql_query: q, params: null, unknown: [1] }),
      readInfo,
      writeMessage([
        [1, 'db'],
        [2, q],
      ]),
      writeAny({ typeUrl: READ_INFO, value: readInfo }),
    ];
    for (const ticket of tickets) {
      const answer = await flight.client.get(ticket);
      assert.equal(answer.code, 0, `${ticket}: ${answer.details}`);
      assert.deepEqual(
        tableOf(answer.messages)
          .toArray()
          .map((row) => ({ ...row.toJSON() })),
        [
          { host: 'a', i: 1n },
          { host: 'b', i: -2n },
        ],
      );
    }
  });

  it('refuses everything else', async () => {
    const bad = [
      '',
      'garbage',
      '[]',
      '{}',
      '{"database":"db"}',
      '{"sql_query":"SELECT 1"}',
      '{"database":"db","bucket":"db","sql_query":"SELECT 1"}',
      '{"database":"db","sql_query":"SELECT 1","query_type":"flux"}',
      '{"database":1,"sql_query":"SELECT 1"}',
      '{"database":"db","sql_query":"SELECT 1","params":[]}',
      '{"database":"db","sql_query":"SELECT $a","params":{"a":[1]}}',
      Buffer.from([0xff, 0xfe, 0x00]),
      writeAny({ typeUrl: READ_INFO, value: Buffer.from([0x0a, 0xff]) }),
      writeMessage([
        [1, 'db'],
        [3, 9],
      ]),
      // ReadInfo by its type, but not by its bytes
      writeAny({ typeUrl: READ_INFO, value: Buffer.from('SELECT 1') }),
      ...[
        [4, 'a command'], // with a query of SQL
        [6, writeMessage([[1, 'a name without a value']])],
        [6, Buffer.from([0x30, 1])], // a float must have its eight bytes
      ].map(([field, value]) =>
        writeMessage([
          [1, 'db'],
          [2, 'SELECT 1'],
          [field as number, value as string],
        ]),
      ),
      writeMessage([
        [1, 'db'],
        [2, 'SELECT 1'], // with a command
        [3, 3],
        [4, 'a command'],
      ]),
    ];
    for (const ticket of bad) {
      const answer = await flight.client.get(ticket);
      assert.deepEqual([answer.code, answer.details, answer.messages], [3, 'Invalid ticket. Error: Invalid ticket', []], String(ticket));
    }
    const none = await flight.client.call('DoGet', []);
    assert.equal(none.code, 13);
    const notProtobuf = await flight.client.call('DoGet', [Buffer.from([0x0f, 1, 2])]);
    assert.deepEqual([notProtobuf.code, notProtobuf.details.startsWith('Invalid protobuf: ')], [3, true]);
  });

  it('binds parameters of every type', async () => {
    const sql_query = 'SELECT $s AS s, $b AS b, $u AS u, $i AS i, $f AS f, $n AS n';
    const params = { s: 'ü"', b: true, u: 7, i: -7, f: 1.5, n: null };
    const answer = await flight.client.query({ database: 'db', sql_query, params });
    assert.equal(answer.code, 0, answer.details);
    assert.deepEqual(tableOf(answer.messages).toArray()[0]?.toJSON(), { s: 'ü"', b: true, u: 7n, i: -7n, f: 1.5, n: null });
    // the fields of QueryParam: null, boolean, unsigned integer, integer, float, text
    const bare = async (values: Readonly<Record<string, string>>): Promise<Record<string, unknown>> => {
      const params = Object.entries(values).map(([name, value]): [number, Uint8Array] => [
        6,
        Buffer.concat([writeMessage([[1, name]]), Buffer.from(value, 'hex')]),
      ]);
      const found = await flight.client.get(writeMessage([[1, 'db'], [2, sql_query], ...params]));
      assert.equal(found.code, 0, found.details);
      return tableOf(found.messages).toArray()[0]?.toJSON() as Record<string, unknown>;
    };
    assert.deepEqual(
      await bare({
        s: '3a0178',
        b: '1801',
        u: '20ffffffffffffffffff01',
        i: '2880808080808080808001',
        f: '31000000000000f83f',
        n: '1000',
      }),
      { s: 'x', b: true, u: 2n ** 64n - 1n, i: -(2n ** 63n), f: 1.5, n: null },
    );
    // nothing is left out of a choice, and the last one counts
    assert.deepEqual(await bare({ s: '3a00', b: '1800', u: '2000', i: '2800', f: '310000000000000080', n: '28071000' }), {
      s: '',
      b: false,
      u: 0n,
      i: 0n,
      f: -0,
      n: null,
    });
  });

  it('tells the kind of each column, and sends a schema without rows', async () => {
    const answer = await flight.client.query({ database: 'db', sql_query: 'SELECT time, host AS h, f, f + 1 AS g FROM m WHERE false' });
    assert.deepEqual([answer.code, answer.messages.length], [0, 1]);
    const { schema, numRows } = tableOf(answer.messages);
    assert.equal(numRows, 0);
    assert.deepEqual(
      schema.fields.map((field) => [field.name, field.nullable, field.metadata.get('iox::column::type')]),
      [
        ['time', false, 'iox::column_type::timestamp'],
        ['h', true, 'iox::column_type::tag'],
        ['f', true, 'iox::column_type::field::float'],
        ['g', true, undefined],
      ],
    );
    assert.match(String(answer.trailers.get('x-influxdata-planning-duration-seconds')[0]), /^\d+(\.\d+)?(e-\d+)?$/);
    assert.match(String(answer.trailers.get('x-influxdata-execution-duration-seconds')[0]), /^\d+(\.\d+)?(e-\d+)?$/);
  });

  it('answers InfluxQL with the columns that make series', async () => {
    const answer = await flight.client.query({ database: 'db', sql_query: 'SELECT f FROM m GROUP BY room', query_type: 'influxql' });
    assert.equal(answer.code, 0, answer.details);
    const table = tableOf(answer.messages);
    assert.equal(
      table.schema.metadata.get('iox::influxql::group_key::metadata'),
      '{"measurement_column_index":0,"tag_key_columns":[{"tag_key":"room","column_index":2,"is_projected":false}]}',
    );
    assert.deepEqual(
      table.toArray().map((row) => [row['iox::measurement'], row['room'], row['f']]),
      [
        ['m', 'x', 1.5],
        ['m', null, -0.5],
      ],
    );
    const shown = await flight.client.query({ database: 'db', sql_query: 'SHOW MEASUREMENTS', query_type: 'influxql' });
    assert.deepEqual(
      tableOf(shown.messages)
        .toArray()
        .map((row) => row['name']),
      ['m'],
    );
    const bad = await flight.client.query({ database: 'db', sql_query: 'SELEC 1', query_type: 'influxql' });
    assert.deepEqual([bad.code, bad.details.startsWith('Error while planning query: error in InfluxQL statement')], [3, true]);
    const other = await flight.client.query({ database: 'db', sql_query: 'SELECT f FROM other..m', query_type: 'influxql' });
    assert.deepEqual([other.code, /database prefix in qualified measurement syntax/.test(other.details)], [3, true]);
  });

  it('failures have the status and the text of their kind', async () => {
    const failure = async (sql_query: string, database = 'db'): Promise<[number, string]> => {
      const { code, details } = await flight.client.query({ database, sql_query });
      return [code, details];
    };
    assert.deepEqual(await failure('SELECT 1', 'nope'), [5, "Database 'nope' not found"]);
    assert.deepEqual(await failure('SELECT * FROM x'), [
      3,
      "Error while planning query: Error during planning: table 'public.iox.x' not found",
    ]);
    assert.deepEqual(await failure('SELECT "ü%\n" FROM m'), [
      3,
      'Error while planning query: Schema error: No field named "ü%\n". Valid fields are m.b, m.f, m.host, m.i, m.room, m.s, m.time, m.u.',
    ]);
    const divided = await failure('SELECT i / (i - 1) FROM m');
    assert.deepEqual([divided[0], divided[1].startsWith('Error while execution Flight SQL stream: ')], [3, true]);
    const { trailers } = await flight.client.query({ database: 'db', sql_query: 'SELECT f,\n  nope FROM m' });
    assert.deepEqual(trailers.get('x-influxdb-error-position'), ['2:3']);
    const long = await failure(`SELECT "${'x'.repeat(5000)}" FROM m`);
    assert.deepEqual([long[0], long[1].length, long[1].endsWith('...')], [3, 2003, true]);
  });

  it('counts as a query, and is logged', async () => {
    await flight.client.query({ database: 'db', sql_query: 'SELECT 42 AS flight' });
    const rows = await flight.server.rows('db', "SELECT phase, query_type FROM system.queries WHERE query_text = 'SELECT 42 AS flight'");
    assert.deepEqual(rows, [{ phase: 'success', query_type: 'sql' }]);
    const metrics = await (await fetch(`${flight.server.url}/metrics`)).text();
    assert.match(metrics, /grpc_requests_total\{path="\/arrow.flight.protocol.FlightService\/DoGet",status="ok"\} \d+/);
  });

  it('stops a query whose time is over, and one whose client leaves', async () => {
    const slow = 'SELECT count(*) FROM generate_series(1, 100000) AS a(x), generate_series(1, 100000) AS b(y) WHERE (x * y) % 7 = 3';
    const late = await flight.client.query({ database: 'db', sql_query: slow }, { deadlineMs: 300 });
    assert.equal(late.code, 4);
    const running = async (): Promise<boolean> => {
      const [row] = await flight.server.rows(
        'db',
        "SELECT count(*) AS n FROM system.queries WHERE query_text LIKE '%generate_series(1, 100000)%' AND running AND query_text NOT LIKE '%system.queries%'",
      );
      return row?.['n'] !== 0;
    };
    await until(async () => ((await running()) ? undefined : true));
    const session = connect(flight.server.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/arrow.flight.protocol.FlightService/DoGet',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    stream.end(framed(writeMessage([[1, JSON.stringify({ database: 'db', sql_query: slow })]])));
    await until(async () => ((await running()) ? true : undefined));
    stream.close(8);
    await until(async () => ((await running()) ? undefined : true));
    session.close();
  });
});

function framed(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

describe('gRPC', () => {
  /** Raw bytes as the body of a call: status from headers or trailers. */
  async function raw(body: Buffer, headers: Readonly<Record<string, string>> = {}, path = 'DoGet'): Promise<Record<string, unknown>> {
    const session = connect(flight.server.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': path.startsWith('/') ? path : `/arrow.flight.protocol.FlightService/${path}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const found: Record<string, unknown> = {};
    stream.on('response', (received) => Object.assign(found, received));
    stream.on('trailers', (received) => Object.assign(found, received));
    stream.on('error', () => undefined);
    stream.resume();
    stream.end(body);
    await new Promise((resolve) => stream.once('close', resolve));
    session.close();
    return found;
  }

  const good = writeMessage([[1, JSON.stringify({ database: 'db', sql_query: 'SELECT 1' })]]);

  it('reads compressed messages, and refuses what it cannot read', async () => {
    assert.equal((await raw(framed(good)))['grpc-status'], '0');
    assert.equal((await raw(framed(gzipSync(good), 1), { 'grpc-encoding': 'gzip' }))['grpc-status'], '0');
    const deflate = await raw(framed(good, 1), { 'grpc-encoding': 'deflate' });
    assert.deepEqual([deflate['grpc-status'], deflate['grpc-accept-encoding']], ['12', 'identity,gzip']);
    assert.equal((await raw(framed(Buffer.from('no gzip'), 1), { 'grpc-encoding': 'gzip' }))['grpc-status'], '13');
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    assert.equal((await raw(framed(bomb, 1), { 'grpc-encoding': 'gzip' }))['grpc-status'], '8');
    const announced = Buffer.alloc(5);
    announced.writeUInt32BE(1024 * 1024 * 1024, 1);
    assert.equal((await raw(announced))['grpc-status'], '8');
    assert.equal((await raw(framed(good).subarray(0, 10)))['grpc-status'], '13');
    assert.equal((await raw(Buffer.alloc(0)))['grpc-status'], '13');
    assert.equal((await raw(framed(good, 7)))['grpc-status'], '13');
  });

  it('other services and methods are not implemented', async () => {
    for (const path of [
      '/grpc.health.v1.Health/Check',
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      '/x',
      'Nope',
      'toString',
    ]) {
      const answer = await flight.client.call(path, [good]);
      assert.equal(answer.code, 12, path);
    }
    const named = await flight.client.call('GetSchema', [good]);
    assert.deepEqual([named.code, named.details], [12, 'Not yet implemented: get_schema']);
    for (const method of ['PollFlightInfo', 'ListFlights', 'ListActions', 'DoExchange']) {
      assert.match((await flight.client.call(method, [good])).details, /^Not yet implemented: [a-z_]+$/);
    }
  });

  it('Handshake gives back what it got, and the token', async () => {
    const message = writeMessage([
      [1, 7n],
      [2, Buffer.from([1, 2, 3])],
    ]);
    const authorization = `Basic ${Buffer.from('any:thing:more').toString('base64')}`;
    for (const half of [true, false]) {
      const answer = await flight.client.call('Handshake', [message], { headers: { authorization }, half });
      assert.deepEqual([answer.code, answer.messages], [0, [message]]);
      assert.deepEqual(answer.headers?.get('authorization'), ['Bearer thing:more']);
    }
    const empty = await flight.client.call('Handshake', []);
    assert.deepEqual([empty.code, empty.details], [3, 'Invalid handshake. No payload provided']);
  });
});
