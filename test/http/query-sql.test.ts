import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BindValue, QueryResult, ResultColumn } from '../../src/query/result.ts';
import { textVector } from '../../src/query/results/index.ts';
import { databaseNotFound, InfluxError } from '../../src/shared/errors.ts';
import { resultOf, testServer } from './fakes.ts';

const FORMATS = '`parquet`, `csv`, `pretty`, `json`, `json_lines`, `jsonl`';

const columns: ResultColumn[] = [
  { name: 'host', type: { kind: 'string', dictionary: true } },
  { name: 'time', type: { kind: 'timestamp', zone: undefined } },
  { name: 'val', type: { kind: 'float64' } },
];

function cpu(): QueryResult {
  return resultOf(columns, [
    {
      rowCount: 2,
      columns: [
        textVector(['b', 'b']),
        { kind: 'timestamp', data: BigInt64Array.of(155n, 199n), valid: undefined },
        { kind: 'float64', data: Float64Array.of(2, 5), valid: undefined },
      ],
    },
  ]);
}

describe('/api/v3/query_sql', () => {
  test('answers a GET as CSV', async () => {
    const { inject, queries } = await testServer();
    queries.answer = cpu;
    const reply = await inject({ method: 'GET', url: '/api/v3/query_sql?db=foo&q=select+host,time,val+from+cpu&format=csv' });
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers['content-type'], 'text/csv');
    assert.equal(reply.body, 'host,time,val\nb,1970-01-01T00:00:00.000000155,2.0\nb,1970-01-01T00:00:00.000000199,5.0\n');
    assert.deepEqual([queries.requests[0]?.database, queries.requests[0]?.query], ['foo', 'select host,time,val from cpu']);
  });

  test('formats by parameter and by Accept, with their content types', async () => {
    const { inject, queries } = await testServer();
    queries.answer = cpu;
    const cases: [format: string, accept: string | undefined, type: string][] = [
      ['', undefined, 'application/json'],
      ['', '*/*', 'application/json'],
      ['', 'application/json', 'application/json'],
      ['', 'text/html,application/xhtml+xml', 'application/json'],
      ['', 'text/csv, */*', 'application/json'],
      ['', 'text/csv', 'text/csv'],
      ['', 'text/plain', 'text/plain; charset=utf-8'],
      ['', 'application/vnd.apache.parquet', 'application/vnd.apache.parquet'],
      ['json', 'text/csv', 'application/json'],
      ['jsonl', undefined, 'application/jsonl'],
      ['json_lines', undefined, 'application/jsonl'],
      ['csv', undefined, 'text/csv'],
      ['pretty', undefined, 'text/plain; charset=utf-8'],
      ['parquet', undefined, 'application/vnd.apache.parquet'],
    ];
    for (const [format, accept, type] of cases) {
      const url = `/api/v3/query_sql?db=foo&q=x${format === '' ? '' : `&format=${format}`}`;
      const reply = await inject({ method: 'GET', url, ...(accept === undefined ? {} : { headers: { accept } }) });
      assert.deepEqual([reply.statusCode, reply.headers['content-type']], [200, type], `${format} ${accept}`);
    }
  });

  test('a bad Accept is refused first, also with a good format', async () => {
    const { inject } = await testServer();
    for (const accept of ['application/jsonl', 'text/csv; charset=utf-8', 'TEXT/CSV']) {
      const reply = await inject({ method: 'GET', url: '/api/v3/query_sql?db=foo&q=x&format=csv', headers: { accept } });
      assert.deepEqual([reply.statusCode, reply.body], [400, `invalid mime type (${accept})`]);
    }
  });

  test('zero rows in every format', async () => {
    const { inject, queries } = await testServer();
    queries.answer = () => resultOf(columns, []);
    for (const [format, body] of [
      ['json', '[]'],
      ['jsonl', ''],
      ['csv', ''],
      ['pretty', '++\n++'],
      ['parquet', 'PAR1'],
    ] as const) {
      const reply = await inject({ method: 'GET', url: `/api/v3/query_sql?db=foo&q=x&format=${format}` });
      assert.deepEqual([reply.statusCode, reply.body], [200, body], format);
    }
  });

  test('POST reads a JSON body of any content-type and ignores the URL', async () => {
    const { inject, queries } = await testServer();
    const reply = await inject({
      method: 'POST',
      url: '/api/v3/query_sql?db=other&format=csv',
      payload: '{"db":"foo","q":"select 1","format":"pretty","params":{"a":1},"more":[]}',
      headers: { 'content-type': 'text/plain' },
    });
    assert.deepEqual([reply.statusCode, reply.body], [200, '++\n++']);
    assert.equal(queries.requests[0]?.database, 'foo');
  });

  test('parameter values, unsigned first, all digits kept', async () => {
    const expected: [string, BindValue][] = [
      ['n', { kind: 'null' }],
      ['b', { kind: 'boolean', value: true }],
      ['u', { kind: 'uint64', value: 18446744073709551615n }],
      ['i', { kind: 'int64', value: -9223372036854775808n }],
      ['big', { kind: 'float64', value: 18446744073709552000 }],
      ['f', { kind: 'float64', value: 1.5 }],
      ['e', { kind: 'float64', value: 1000 }],
      ['s', { kind: 'string', value: 'a"ü' }],
    ];
    const params =
      '{"n":null,"b":true,"u":18446744073709551615,"i":-9223372036854775808,"big":18446744073709551616,"f":1.5,"e":1e3,"s":"a\\"\\u00fc"}';
    const { inject, queries } = await testServer();
    await inject({ method: 'POST', url: '/api/v3/query_sql', payload: `{"db":"a","q":"x","params":${params}}` });
    await inject({ method: 'GET', url: `/api/v3/query_sql?db=a&q=x&params=${encodeURIComponent(params)}` });
    await inject({ method: 'POST', url: '/api/v3/query_sql', payload: '{"db":"a","q":"x","params":null}' });
    assert.deepEqual([...(queries.requests[0]?.params ?? [])], expected);
    assert.deepEqual([...(queries.requests[1]?.params ?? [])], expected);
    assert.equal(queries.requests[2]?.params.size, 0);
  });

  test('refusals of a GET', async () => {
    const { inject } = await testServer();
    const cases: [query: string, body: string][] = [
      ['', "missing query parameters 'db' and 'q'"],
      ['?q=x', 'serde error: missing field `db`'],
      ['?db=x', 'serde error: missing field `q`'],
      ['?db=x&q=x&q=y', 'serde error: duplicate field `q`'],
      ['?db=x&q=x&format=xml', `serde error: unknown variant \`xml\`, expected one of ${FORMATS}`],
      ['?db=x&q=x&params=', 'serde json error: EOF while parsing a value at line 1 column 0'],
      ['?db=x&q=x&params={"a":1', 'serde json error: EOF while parsing an object at line 1 column 6'],
    ];
    for (const [query, body] of cases) {
      const reply = await inject({ method: 'GET', url: `/api/v3/query_sql${query}` });
      assert.deepEqual([reply.statusCode, reply.body, reply.headers['content-type']], [400, body, undefined], query);
    }
    for (const [value, what] of [
      ['[1]', 'arrays are not supported as query parameters. Expected null, boolean, number, or string.'],
      ['{"b":1}', 'objects are not supported as query parameters. Expected null, boolean, number, or string'],
    ] as const) {
      const url = `/api/v3/query_sql?db=x&q=x&params=${encodeURIComponent(`{"a":${value}}`)}`;
      const reply = await inject({ method: 'GET', url });
      assert.equal(reply.statusCode, 400);
      assert.ok(reply.body.startsWith(`serde json error: JSON ${what} at line 1 column `), reply.body);
    }
  });

  test('refusals of a POST', async () => {
    const { inject } = await testServer();
    const cases: [payload: string, detail: string][] = [
      ['', 'EOF while parsing a value at line 1 column 0'],
      ['{}', 'missing field `db` at line 1 column 2'],
      ['{"db":"a"}', 'missing field `q` at line 1 column 10'],
      ['{"db":"a",\n"q":1}', 'invalid type: integer `1`, expected a string at line 2 column 5'],
      ['{"db":"a","q":"x","format":"xml"}', `unknown variant \`xml\`, expected one of ${FORMATS} at line 1 column 32`],
      ['db=foo&q=x', 'expected value at line 1 column 1'],
      ['{"db":"a","db":"b","q":"x"}', 'duplicate field `db` at line 1 column 14'],
      ['{"db":"a","q":"x"} x', 'trailing characters at line 1 column 20'],
      ['{"db":"a",}', 'trailing comma at line 1 column 11'],
      ['{"db" "a"}', 'expected `:` at line 1 column 7'],
      ['{db:1}', 'key must be a string at line 1 column 2'],
      ['{"db":"a', 'EOF while parsing a string at line 1 column 8'],
      ['nul', 'EOF while parsing a value at line 1 column 3'],
    ];
    for (const [payload, detail] of cases) {
      const reply = await inject({ method: 'POST', url: '/api/v3/query_sql', payload });
      assert.deepEqual([reply.statusCode, reply.body], [400, `serde json error: ${detail}`], payload);
    }
    const big = await inject({ method: 'POST', url: '/api/v3/query_sql', payload: ' '.repeat(1001) });
    assert.deepEqual([big.statusCode, big.body], [413, 'max request size (1000 bytes) exceeded']);
  });

  test('errors of the query service keep status, text and shape', async () => {
    const { inject, queries } = await testServer();
    const cases: [InfluxError, number, string][] = [
      [databaseNotFound('nope'), 404, '{"error":"query error: database not found: nope"}'],
      [new InfluxError({ code: 'P', message: 'Error during planning: x', status: 400 }), 400, 'Error during planning: x'],
      [
        new InfluxError({ code: 'N', message: 'This feature is not implemented: x', status: 405 }),
        405,
        'This feature is not implemented: x',
      ],
    ];
    for (const [error, status, body] of cases) {
      queries.answer = () => {
        throw error;
      };
      const reply = await inject({ method: 'GET', url: '/api/v3/query_sql?db=nope&q=select+1' });
      assert.deepEqual([reply.statusCode, reply.body], [status, body]);
    }
  });

  test('where a statement is wrong stands in a header, and the text stays as it was', async () => {
    const { inject, queries } = await testServer();
    const error = new InfluxError({ code: 'S', message: 'Schema error: No field named nope.', status: 400 });
    error.position = { line: 2, column: 8 };
    queries.answer = () => {
      throw error;
    };
    const reply = await inject({ method: 'GET', url: '/api/v3/query_sql?db=foo&q=select+1' });
    assert.deepEqual([reply.statusCode, reply.body], [400, 'Schema error: No field named nope.']);
    assert.equal(reply.headers['x-influxdb-error-position'], '2:8');
  });

  test('a failure before the first piece is a status, also in a later batch, and ends the query', async () => {
    const { inject, queries } = await testServer();
    let cancelled = 0;
    queries.answer = () => ({
      columns,
      async *batches() {
        yield { rowCount: 0, columns: [] };
        throw new InfluxError({ code: 'E', message: 'query error: error while executing plan: x', status: 500 });
      },
      cancel: () => {
        cancelled++;
      },
    });
    const reply = await inject({ method: 'GET', url: '/api/v3/query_sql?db=foo&q=x&format=csv' });
    assert.deepEqual(
      [reply.statusCode, reply.body, reply.headers['content-type']],
      [500, 'query error: error while executing plan: x', undefined],
    );
    assert.equal(cancelled, 1);
  });
});
