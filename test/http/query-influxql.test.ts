import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode } from '@msgpack/msgpack';
import type { InfluxqlResult } from '../../src/query/influxql/contract.ts';
import { textVector } from '../../src/query/results/index.ts';
import { databaseNotFound, InfluxError } from '../../src/shared/errors.ts';
import { resultOf, testServer } from './fakes.ts';

/** Rows of two rooms: [room, time ns, temp]. */
type Row = readonly [room: string | null, timeNs: bigint, temp: number | null];

const ROWS: readonly Row[] = [
  ['Kitchen', 0n, 21],
  ['Kitchen', 1_500_000_000n, 22.5],
  [null, 3_000_000_123n, null],
];

/** `SELECT temp FROM home GROUP BY room`. */
function home(rows: readonly Row[] = ROWS, zone?: string): InfluxqlResult {
  const valid = Uint8Array.from({ length: Math.ceil(rows.length / 8) }, (_, byte) =>
    rows.slice(byte * 8, byte * 8 + 8).reduce((bits, row, i) => bits | (row[2] === null ? 0 : 1 << i), 0),
  );
  const result = resultOf(
    [
      { name: 'iox::measurement', type: { kind: 'string', dictionary: true } },
      { name: 'time', type: { kind: 'timestamp', zone } },
      { name: 'room', type: { kind: 'string', dictionary: true } },
      { name: 'temp', type: { kind: 'float64' } },
    ],
    [
      {
        rowCount: rows.length,
        columns: [
          textVector(rows.map(() => 'home')),
          { kind: 'timestamp', data: BigInt64Array.from(rows, (row) => row[1]), valid: undefined },
          textVector(rows.map((row) => row[0])),
          { kind: 'float64', data: Float64Array.from(rows, (row) => row[2] ?? 0), valid },
        ],
      },
    ],
  );
  return { result, groupKey: { measurementColumn: 0, tagColumns: [{ key: 'room', columnIndex: 2, projected: false }] } };
}

function empty(): InfluxqlResult {
  return { result: resultOf([], []), groupKey: { measurementColumn: -1, tagColumns: [] } };
}

const Q = 'q=SELECT+temp+FROM+home+GROUP+BY+room';

const bindText = (request: unknown): string =>
  JSON.stringify(request, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

describe('/query', () => {
  test('series by measurement and tags, whole floats without fraction, null tags and values', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => home();
    const reply = await inject({ method: 'GET', url: `/query?db=foo&${Q}` });
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers['content-type'], 'application/json');
    assert.equal(
      reply.body,
      '{"results":[{"statement_id":0,"series":[' +
        '{"name":"home","tags":{"room":"Kitchen"},"columns":["time","temp"],"values":[["1970-01-01T00:00:00Z",21],["1970-01-01T00:00:01.500Z",22.5]]},' +
        '{"name":"home","tags":{"room":""},"columns":["time","temp"],"values":[["1970-01-01T00:00:03.000000123Z",null]]}]}]}',
    );
    assert.equal(influxql.requests[0]?.database, 'foo');
  });

  test('epoch gives whole numbers of the unit, its words are checked', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => home();
    for (const [unit, times] of [
      ['ns', [0, 1_500_000_000, 3_000_000_123]],
      ['n', [0, 1_500_000_000, 3_000_000_123]],
      ['us', [0, 1_500_000, 3_000_000]],
      ['ms', [0, 1500, 3000]],
      ['s', [0, 1, 3]],
    ] as const) {
      const reply = await inject({ method: 'GET', url: `/query?db=foo&epoch=${unit}&${Q}` });
      const { results } = reply.json<{ results: { series: { values: unknown[][] }[] }[] }>();
      assert.deepEqual(
        results[0]?.series.flatMap((series) => series.values.map(([time]) => time)),
        times,
      );
    }
    const bad = await inject({ method: 'GET', url: `/query?db=foo&epoch=x&${Q}` });
    assert.deepEqual(
      [bad.statusCode, bad.json()],
      [
        400,
        { error: 'error decoding params from url: unknown variant `x`, expected one of `ns`, `u`, `µ`, `ms`, `s`, `m`, `h`, `d`, `w`' },
      ],
    );
  });

  test('a zone of the query is honoured', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => home([['a', 0n, 1]], 'America/Sao_Paulo');
    const reply = await inject({ method: 'GET', url: `/query?db=foo&${Q}` });
    assert.match(reply.body, /"1969-12-31T21:00:00-03:00"/);
  });

  test('chunks break at series and at chunk_size, and say whether more follows', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => home();
    const row = (times: string): string => `{"results":[{"statement_id":0,"series":[{"name":"home",${times}}]}`;
    const reply = await inject({ method: 'GET', url: `/query?db=foo&chunked=true&chunk_size=1&epoch=ms&${Q}` });
    const kitchen = '"tags":{"room":"Kitchen"},"columns":["time","temp"],"values"';
    assert.equal(
      reply.body,
      `{"results":[{"statement_id":0,"series":[{"name":"home",${kitchen}:[[0,21]],"partial":true}],"partial":true}]}\n` +
        `{"results":[{"statement_id":0,"series":[{"name":"home",${kitchen}:[[1500,22.5]]}],"partial":true}]}\n` +
        `${row('"tags":{"room":""},"columns":["time","temp"],"values":[[3000,null]]')}]}\n`,
    );
    const bySeries = await inject({ method: 'GET', url: `/query?db=foo&chunked=true&chunk_size=0&${Q}` });
    assert.equal(bySeries.body.split('{"results"').length - 1, 2);
    influxql.answer = empty;
    const none = await inject({ method: 'GET', url: `/query?db=foo&chunked=true&${Q}` });
    assert.equal(none.body, '{"results":[{"statement_id":0}]}\n');
  });

  test('CSV: epoch times, one header, a blank line between statements, failures left out', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = (request) => {
      if (request.text.includes('bad')) throw new InfluxError({ code: 'X', message: 'no', status: 400 });
      return home();
    };
    const reply = await inject({
      method: 'GET',
      url: '/query?db=foo&q=SELECT+a+FROM+m;SELECT+bad+FROM+m;SELECT+b+FROM+m',
      headers: { accept: 'text/csv' },
    });
    const block = 'name,tags,time,temp\nhome,room=Kitchen,0,21\nhome,room=Kitchen,1500000000,22.5\nhome,room=,3000000123,\n';
    assert.deepEqual([reply.headers['content-type'], reply.body], ['application/csv', `${block}\n${block}`]);
  });

  test('each statement answers for itself; a parse error stands for the whole text', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = (request) => {
      if (request.database === 'nope') throw databaseNotFound('nope');
      if (request.text.includes('bad')) throw new InfluxError({ code: 'X', message: 'Error during planning: no', status: 400 });
      return empty();
    };
    const reply = await inject({ method: 'GET', url: '/query?db=nope&q=SELECT+a+FROM+m;SELECT+a+FROM+foo..m;SELECT+bad+FROM+foo..m' });
    assert.deepEqual(reply.json(), {
      results: [{ statement_id: 0, error: 'database not found: nope' }, { statement_id: 1 }, { statement_id: 2, error: 'no' }],
    });
    const parse = await inject({ method: 'GET', url: '/query?db=foo&q=SELECT+a+FROM+m;+SELECT+FROM' });
    assert.deepEqual(
      [parse.statusCode, parse.json()],
      [400, { error: 'error parsing query: found FROM, invalid SELECT statement, expected field at line 1, char 25' }],
    );
    const none = await inject({ method: 'GET', url: '/query?q=SELECT+a+FROM+m' });
    assert.deepEqual(none.json(), {
      results: [
        { statement_id: 0, error: "database name required: must specify a 'db' parameter, or provide the database in the InfluxQL query" },
      ],
    });
  });

  test('an infinite number takes the place of the document, NaN is null', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => home([['a', 0n, Number.NaN]]);
    assert.match((await inject({ method: 'GET', url: `/query?db=foo&${Q}` })).body, /,null\]/);
    influxql.answer = () => home([['a', 0n, Number.NEGATIVE_INFINITY]]);
    const reply = await inject({ method: 'GET', url: `/query?db=foo&${Q}` });
    assert.deepEqual([reply.statusCode, reply.body], [200, '{"error":"json: unsupported value: -Inf"}']);
  });

  test('pretty indents by two spaces', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => home([['a:{"b,', 0n, 1.5]]);
    const plain = await inject({ method: 'GET', url: `/query?db=foo&${Q}` });
    const pretty = await inject({ method: 'GET', url: `/query?db=foo&pretty=true&${Q}` });
    assert.equal(pretty.body, JSON.stringify(plain.json(), null, 2));
  });

  test('where the parameters come from', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = empty;
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const q = 'SELECT v FROM m';
    const requests = [
      await inject({ method: 'POST', url: '/query?db=a&q=SELECT+x+FROM+y', headers: form, payload: `db=b&q=${encodeURIComponent(q)}` }),
      await inject({ method: 'POST', url: '/query?db=b', headers: { 'content-type': 'application/vnd.influxql' }, payload: q }),
      await inject({ method: 'POST', url: `/query?db=b&rp=autogen&q=${encodeURIComponent(q)}` }),
    ];
    assert.deepEqual(
      requests.map((reply) => reply.body),
      Array(3).fill('{"results":[{"statement_id":0}]}'),
    );
    assert.deepEqual(
      influxql.requests.map(({ database, text }) => [database, text]),
      Array(3).fill(['b', q]),
    );
    await inject({ method: 'GET', url: `/query?db=b&rp=weekly&q=${encodeURIComponent(q)}` });
    assert.equal(influxql.requests.at(-1)?.database, 'b/weekly');
  });

  test('no header refuses a query', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = empty;
    const q = 'SELECT v FROM m';
    const url = `/query?db=b&q=${encodeURIComponent(q)}`;
    for (const [accept, type] of [
      ['', 'application/json'],
      ['text/html', 'application/json'],
      ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/json'],
      ['application/json, text/plain, */*', 'application/json'],
      ['text/plain, TEXT/CSV; charset=utf-8', 'application/csv'],
      ['application/x-msgpack, application/json', 'application/x-msgpack'],
    ] as const) {
      const reply = await inject({ method: 'GET', url, headers: { accept, 'content-type': 'application/json' } });
      assert.deepEqual([reply.statusCode, reply.headers['content-type']], [200, type], accept);
    }
    const types = ['', 'application/json', 'application/json; charset=utf-8', 'text/plain', 'application/octet-stream', 'x'];
    for (const type of types) {
      for (const payload of ['', 'something']) {
        const reply = await inject({ method: 'POST', url, headers: { 'content-type': type }, payload });
        assert.equal(reply.statusCode, 200, type);
      }
      assert.equal((await inject({ method: 'POST', url: '/query?db=b', headers: { 'content-type': type }, payload: q })).statusCode, 200);
    }
    const json = { 'content-type': 'application/json' };
    const params = '{"db":"b","q":"SELECT v FROM m WHERE v = $v","params":{"v":9007199254740993}}';
    await inject({ method: 'POST', url: '/query', headers: json, payload: params });
    assert.match(bindText(influxql.requests.at(-1)), /9007199254740993/);
    const members = JSON.stringify({ q: 'SELECT v FROM m WHERE v > $a', db: 'b', params: { a: 1 }, pretty: null });
    await inject({ method: 'POST', url: '/query', headers: json, payload: members });
    await inject({ method: 'GET', url: `${url}&epoch=n` });
    assert.ok(influxql.requests.every(({ database }) => database === 'b'));
    assert.equal(influxql.requests.length, 6 + 3 * types.length + 3);
    assert.equal(influxql.requests.at(-2)?.text, 'SELECT v FROM m WHERE v > $a');
  });

  test('request errors', async () => {
    const { inject } = await testServer();
    const cases = [
      [{ method: 'GET', url: '/query' }, 400, "missing query parameters 'db' and 'q'"],
      [{ method: 'GET', url: '/query?db=x' }, 400, 'expected a query to be provided in the query string or body'],
      [{ method: 'GET', url: '/query?db=x&q=' }, 400, 'expected a query to be provided in the query string or body'],
      [{ method: 'GET', url: '/query?db=x&q=;--x' }, 400, 'expected a query to be provided in the query string or body'],
      [
        { method: 'POST', url: '/query?db=x&q=SELECT+%0A+f+FROMM+x', headers: { accept: 'application/x-msgpack' } },
        400,
        'error parsing query: found FROMM, invalid SELECT statement, expected FROM at line 2, char 4',
      ],
      [
        { method: 'GET', url: '/query?db=x&q=SHOW', headers: { accept: 'text/csv' } },
        400,
        'error parsing query: found EOF, invalid SHOW statement, expected DATABASES, FIELD KEYS, MEASUREMENTS, TAG KEYS, TAG VALUES, or ' +
          'RETENTION POLICIES following SHOW at line 1, char 5',
      ],
      [
        { method: 'GET', url: '/query?db=x&q=SELECT+v+FROM+m+WHERE+h=$host' },
        400,
        "error parsing query: Bind parameter '$host' was referenced in the InfluxQL statement but its value is undefined",
      ],
      [
        { method: 'POST', url: '/query?db=x', headers: { 'content-type': 'multipart/form-data' }, payload: 'x' },
        400,
        'A boundary header is required for multipart upload',
      ],
      [
        { method: 'POST', url: '/query?db=x', headers: { 'content-type': 'multipart/form-data; boundary=b' }, payload: 'x' },
        400,
        'error decoding multipart file upload: Failed to parse body as FormData.',
      ],
      [
        {
          method: 'POST',
          url: '/query?db=x',
          headers: { 'content-type': 'multipart/form-data; boundary=b' },
          payload: Buffer.from('--b\r\ncontent-disposition: form-data; name="q"; filename="f"\r\n\r\n\xff\r\n--b--\r\n', 'latin1'),
        },
        400,
        'error reading field from body: q -- not valid UTF-8',
      ],
      [
        {
          method: 'POST',
          url: '/query',
          headers: { 'content-type': 'multipart/form-data; boundary=b' },
          payload: '--b\r\ncontent-disposition: form-data; name="db"\r\n\r\nx\r\n--b--\r\n',
        },
        400,
        'expected a query to be provided in the query string or body',
      ],
      [
        { method: 'GET', url: '/query?db=x&q=x&chunked=yes' },
        400,
        'error decoding params from url: provided string was not `true` or `false`',
      ],
      [
        { method: 'GET', url: '/query?db=x&q=x&params={' },
        400,
        'error decoding query body: EOF while parsing an object at line 1 column 1',
      ],
    ] as const;
    for (const [request, status, error] of cases) {
      const reply = await inject(request);
      assert.deepEqual([reply.statusCode, reply.json()], [status, { error }], JSON.stringify(request));
    }
  });

  test('a statement may have series with columns of their own, and lists are those of InfluxDB 1', async () => {
    const { inject, influxql } = await testServer();
    const text = (name: string) => ({ name, type: { kind: 'string', dictionary: false } }) as const;
    const row = (value: string) => textVector([value]);
    const build = resultOf([text('m'), text('Version')], [{ rowCount: 1, columns: [row('build'), row('3')] }]);
    const stats = resultOf(
      [text('m'), text('db'), { name: 'value', type: { kind: 'float64' } }],
      [{ rowCount: 1, columns: [row('lines'), row('a'), { kind: 'float64', data: Float64Array.of(7), valid: undefined }] }],
    );
    const tagColumns = [{ key: 'db', columnIndex: 1, projected: false }];
    influxql.answer = () => ({
      result: build,
      groupKey: { measurementColumn: 0, tagColumns: [] },
      more: [{ result: stats, groupKey: { measurementColumn: 0, tagColumns } }],
    });
    const ask = async (more: string, accept = '*/*') => inject({ method: 'GET', url: `/query?q=SHOW+STATS${more}`, headers: { accept } });
    const first = '{"name":"build","columns":["Version"],"values":[["3"]]}';
    const second = '{"name":"lines","tags":{"db":"a"},"columns":["value"],"values":[[7]]}';
    assert.equal((await ask('')).body, `{"results":[{"statement_id":0,"series":[${first},${second}]}]}`);
    assert.equal(influxql.requests[0]?.asV1, true);
    assert.equal(
      (await ask('&chunked=true')).body,
      `{"results":[{"statement_id":0,"series":[${first}],"partial":true}]}\n{"results":[{"statement_id":0,"series":[${second}]}]}\n`,
    );
    assert.equal((await ask('', 'text/csv')).body, 'name,tags,Version\nbuild,,3\n\nname,tags,value\nlines,db=a,7\n');
    assert.deepEqual(decode((await ask('', 'application/x-msgpack')).rawPayload), {
      results: [{ statement_id: 0, series: [JSON.parse(first), JSON.parse(second)] }],
    });
  });
});

describe('/api/v3/query_influxql', () => {
  test('answers one statement in the v3 formats', async () => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => home(ROWS.slice(0, 1));
    const reply = await inject({
      method: 'POST',
      url: '/api/v3/query_influxql',
      payload: { db: 'foo', q: 'SELECT temp FROM home GROUP BY room' },
    });
    assert.equal(reply.body, '[{"iox::measurement":"home","time":"1970-01-01T00:00:00","room":"Kitchen","temp":21.0}]');
    const csv = await inject({ method: 'GET', url: `/api/v3/query_influxql?${Q.replace('home', 'foo..home')}&format=csv` });
    assert.equal(csv.body, 'iox::measurement,time,room,temp\nhome,1970-01-01T00:00:00,Kitchen,21.0\n');
    assert.equal(influxql.requests.at(-1)?.database, 'foo');
    const file = await inject({ method: 'GET', url: `/api/v3/query_influxql?db=foo&${Q}&format=parquet` });
    assert.deepEqual([file.headers['content-type'], file.body], ['application/vnd.apache.parquet', 'PAR1']);
  });

  test('refusals', async () => {
    const { inject } = await testServer();
    const one = 'must provide only one InfluxQl statement per query';
    const cases = [
      ['db=a&q=SELECT+v+FROM+m;SELECT+v+FROM+m', one],
      ['db=a&q=', one],
      ['q=SELECT+v+FROM+m', "must specify a 'db' parameter, or provide the database in the InfluxQL query"],
      ['db=a&q=SELECT+v+FROM+a..m,b..m', 'error in InfluxQL statement: can only perform queries on a single database'],
      [
        'db=a&q=SELECT+v+FROM+b.rp.m',
        'provided a database in both the parameters (a) and query string (b/rp) that do not match, if providing a query that ' +
          "specifies the database, you can omit the 'database' parameter from your request",
      ],
      ['db=a&q=SELECT', 'error in InfluxQL statement: parsing error: invalid SELECT statement, expected field at pos 6'],
      [
        'db=a&q=SELECT+v+FROM+m+WHERE+h=$host',
        "Bind parameter '$host' was referenced in the InfluxQL statement but its value is undefined",
      ],
    ] as const;
    for (const [query, text] of cases) {
      const reply = await inject({ method: 'GET', url: `/api/v3/query_influxql?${query}` });
      assert.deepEqual([reply.statusCode, reply.body], [400, text]);
    }
  });
});
