import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { InfluxError } from '../../src/shared/errors.ts';
import type { LineError } from '../../src/write/line-protocol/types.ts';
import { testServer } from './fakes.ts';

const V3_PRECISIONS = '`auto`, `s`, `second`, `millisecond`, `ms`, `microsecond`, `u`, `us`, `n`, `nanosecond`, `ns`';
const V1_PRECISIONS = '`s`, `second`, `millisecond`, `ms`, `microsecond`, `u`, `us`, `n`, `nanosecond`, `ns`';

const lineError = { errorMessage: 'No fields were provided', lineNumber: 2, originalLine: 'cpu,host=a val= 123' };

function parseFailed(): InfluxError {
  const data = { error_message: 'Invalid measurement was provided', line_number: 1, original_line: ',t=v f=1' };
  return new InfluxError({ code: 'LINE_PROTOCOL', message: 'line protocol parsing error', status: 400, shape: 'json', data });
}

describe('POST /api/v3/write_lp', () => {
  test('passes the parameters on and answers 204 with an empty body', async () => {
    const { inject, writes, telemetry } = await testServer();
    const reply = await inject({
      method: 'POST',
      url: '/api/v3/write_lp?db=foo&precision=u&accept_partial=false&no_sync=true&unknown=1',
      payload: 'cpu v=1',
      headers: { 'content-type': 'no such/type;;' },
    });
    assert.equal(reply.statusCode, 204);
    assert.equal(reply.body, '');
    assert.deepEqual(writes.requests, [
      { database: 'foo', body: Buffer.from('cpu v=1'), precision: 'microsecond', acceptPartial: false, noSync: true },
    ]);
    assert.deepEqual(telemetry.writes, [[1, 7]]);
  });

  test('defaults: automatic precision, partial accepted, synced', async () => {
    const { inject, writes } = await testServer();
    await inject({ method: 'POST', url: '/api/v3/write_lp?db=foo', payload: 'x' });
    const [request] = writes.requests;
    assert.deepEqual([request?.precision, request?.acceptPartial, request?.noSync], ['auto', true, false]);
  });

  test('refused parameters', async () => {
    const { inject, writes } = await testServer();
    const cases: [query: string, body: string][] = [
      ['', "missing query parameter 'db'"],
      ['?unknown=1', 'serde error: missing field `db`'],
      ['?precision=ns', 'serde error: missing field `db`'],
      ['?db=a&db=b', 'serde error: duplicate field `db`'],
      ['?db=a&precision=h', `serde error: unknown variant \`h\`, expected one of ${V3_PRECISIONS}`],
      ['?db=a&accept_partial=1', 'serde error: provided string was not `true` or `false`'],
      ['?db=a&no_sync=TRUE', 'serde error: provided string was not `true` or `false`'],
      ['?db=', '{"error":"db name cannot be empty"}'],
      ['?db=%3Fx', '{"error":"db name did not start with a number or letter"}'],
      [`?db=${'a'.repeat(512)}`, '{"error":"db name too long: max 511"}'],
      [
        '?db=a+b',
        '{"error":"invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens"}',
      ],
      [
        '?db=a/b/c',
        '{"error":"db name with invalid retention policy, if providing a retention policy name, must be of form \'<db_name>/<rp_name>\'"}',
      ],
    ];
    for (const [query, body] of cases) {
      const reply = await inject({ method: 'POST', url: `/api/v3/write_lp${query}`, payload: 'cpu v=1' });
      assert.deepEqual([reply.statusCode, reply.body], [400, body], query);
    }
    assert.equal(writes.requests.length, 0);
  });

  test('a refused line stops the write; data is one object', async () => {
    const { inject, writes, telemetry } = await testServer();
    writes.answer = () => {
      throw parseFailed();
    };
    const reply = await inject({ method: 'POST', url: '/api/v3/write_lp?db=foo&accept_partial=false', payload: ',t=v f=1' });
    assert.equal(reply.statusCode, 400);
    assert.equal(reply.headers['content-type'], 'application/json');
    assert.equal(
      reply.body,
      '{"error":"line protocol parsing error","data":{"error_message":"Invalid measurement was provided","line_number":1,"original_line":",t=v f=1"}}',
    );
    assert.deepEqual(telemetry.writes, []);
  });

  test('a partial write lists its lines and still counts the good ones', async () => {
    const { inject, writes, telemetry } = await testServer();
    writes.answer = () => ({ acceptedLines: 2, acceptedBytes: 30, lineErrors: [lineError] });
    const reply = await inject({ method: 'POST', url: '/api/v3/write_lp?db=foo', payload: 'three lines' });
    assert.equal(reply.statusCode, 400);
    assert.equal(
      reply.body,
      '{"error":"partial write of line protocol occurred","data":[{"error_message":"No fields were provided","line_number":2,"original_line":"cpu,host=a val= 123"}]}',
    );
    assert.deepEqual(telemetry.writes, [[2, 11]]);
  });

  test('a limit among the line errors makes it 422', async () => {
    const { inject, writes } = await testServer();
    const errorMessage = 'Update to schema would exceed number of columns per table limit of 500 columns';
    writes.answer = () => ({ acceptedLines: 0, acceptedBytes: 0, lineErrors: [lineError, { ...lineError, errorMessage }] });
    const reply = await inject({ method: 'POST', url: '/api/v3/write_lp?db=foo', payload: 'x' });
    assert.equal(reply.statusCode, 422);
  });

  test('texts of the write service pass unchanged', async () => {
    const { inject, writes } = await testServer();
    for (const [status, message] of [
      [400, 'incoming write was empty'],
      [500, 'write buffer error: error from wal: wal buffer full with 3 ops'],
    ] as const) {
      writes.answer = () => {
        throw new InfluxError({ code: 'X', message, status });
      };
      const reply = await inject({ method: 'POST', url: '/api/v3/write_lp?db=foo', payload: 'x' });
      assert.deepEqual([reply.statusCode, reply.body, reply.headers['content-type']], [status, message, undefined]);
    }
  });

  test('an unexpected failure is a 500 that tells nothing', async () => {
    const { inject, writes } = await testServer();
    writes.answer = () => {
      throw new Error('secret path /var/lib');
    };
    for (const [url, body] of [
      ['/api/v3/write_lp?db=foo', 'internal server error'],
      ['/write?db=foo', '{"error":"internal server error"}'],
    ] as const) {
      const reply = await inject({ method: 'POST', url, payload: 'x' });
      assert.deepEqual([reply.statusCode, reply.body], [500, body]);
    }
    const v2 = await inject({ method: 'POST', url: '/api/v2/write?bucket=foo', payload: 'x' });
    assert.deepEqual([v2.statusCode, v2.body], [500, '{"code":"internal error","message":"internal server error"}']);
  });
});

describe('POST /write', () => {
  test('resolves database and policy, keeps good lines and always waits', async () => {
    const { inject, writes } = await testServer();
    for (const query of [
      'db=foo',
      'db=foo&rp=',
      "db=foo&rp=''",
      'db=foo&rp=AutoGen',
      'db=foo&rp=default',
      'db=foo&rp=Week&accept_partial=false&no_sync=true&u=me&p=x&consistency=all&precision=',
    ]) {
      const reply = await inject({ method: 'POST', url: `/write?${query}`, payload: 'x' });
      assert.equal(reply.statusCode, 204, query);
    }
    assert.deepEqual(
      writes.requests.map((request) => request.database),
      ['foo', 'foo', 'foo', 'foo', 'foo', 'foo/week'],
    );
    assert.ok(writes.requests.every((request) => request.acceptPartial && !request.noSync && request.precision === 'nanosecond'));
  });

  test('refused parameters in shape json', async () => {
    const { inject } = await testServer();
    const long = 'a'.repeat(65);
    const cases: [query: string, message: string][] = [
      ['', 'no db destination provided'],
      ['?rp=a', 'failed to deserialize db/rp/precision in request: missing field `db`'],
      [
        '?db=a&precision=auto',
        `failed to deserialize db/rp/precision in request: unknown variant \`auto\`, expected one of ${V1_PRECISIONS}`,
      ],
      ['?db=', 'namespace name  length must be between 1 and 64 characters'],
      [`?db=${long}`, `namespace name ${long} length must be between 1 and 64 characters`],
      ['?db=a%20b', "namespace name 'a b' contains invalid character, character number 1 is not allowed"],
      ['?db=_internal', 'db name did not start with a number or letter'],
      [
        '?db=a/b&rp=c',
        "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'",
      ],
    ];
    for (const [query, message] of cases) {
      const reply = await inject({ method: 'POST', url: `/write${query}`, payload: 'x' });
      assert.deepEqual([reply.statusCode, reply.body], [400, JSON.stringify({ error: message })], query);
    }
  });
});

describe('lines that v1 and v2 cannot store', () => {
  const line = (errorMessage: string, originalLine: string): LineError => ({ errorMessage, lineNumber: 1, originalLine });
  const conflict = "invalid column type for column 'i', expected iox::column_type::field::integer, got iox::column_type::field::float";
  const cases: [what: string, acceptedLines: number, lineErrors: LineError[], text: string][] = [
    [
      'a bad line among good ones',
      2,
      [line('No fields were provided', 'bad')],
      "partial write: unable to parse 'bad': No fields were provided dropped=1",
    ],
    [
      'nothing but bad lines',
      0,
      [line('No fields were provided', 'bad'), line('No fields were provided', 'worse')],
      "unable to parse 'bad': No fields were provided\nunable to parse 'worse': No fields were provided",
    ],
    [
      'a field of another type',
      0,
      [line(conflict, 'm\\ x,host=a i=1.5')],
      'partial write: field type conflict: input field "i" on measurement "m x" is type float, already exists as type integer dropped=1',
    ],
    [
      'a long name with a field of another type',
      1,
      [line(conflict, 'a_very_long_measure')],
      'partial write: field type conflict: input field "i" is type float, already exists as type integer dropped=1',
    ],
    [
      'a full table',
      0,
      [line('Update to schema would exceed number of columns per table limit of 500 columns', 'm i=1')],
      'partial write: Update to schema would exceed number of columns per table limit of 500 columns dropped=1',
    ],
  ];
  for (const [what, acceptedLines, lineErrors, text] of cases) {
    test(what, async () => {
      const { inject, writes } = await testServer();
      writes.answer = () => ({ acceptedLines, acceptedBytes: 0, lineErrors });
      const v1 = await inject({ method: 'POST', url: '/write?db=b', payload: 'x' });
      assert.deepEqual([v1.statusCode, v1.body], [400, JSON.stringify({ error: text })]);
      const v2 = await inject({ method: 'POST', url: '/api/v2/write?bucket=b', payload: 'x' });
      assert.deepEqual([v2.statusCode, v2.body], [400, JSON.stringify({ code: 'invalid', message: text })]);
    });
  }

  test('many bad lines: a hundred reasons, the whole count', async () => {
    const { inject, writes } = await testServer();
    const lineErrors = new Array<LineError>(1000).fill(line('No fields were provided', 'bad'));
    writes.answer = () => ({ acceptedLines: 1, acceptedBytes: 0, lineErrors });
    const reply = await inject({ method: 'POST', url: '/write?db=b', payload: 'x' });
    assert.equal(reply.body.split('\\n').length, 100);
    assert.match(reply.body, / dropped=1000"/);
  });

  test('a body without lines is nothing to do', async () => {
    const { inject, writes } = await testServer();
    writes.answer = () => {
      throw new InfluxError({ code: 'EMPTY_WRITE', message: 'incoming write was empty', status: 400 });
    };
    for (const url of ['/write?db=b', '/api/v2/write?bucket=b']) {
      assert.equal((await inject({ method: 'POST', url, payload: '# a comment' })).statusCode, 204);
    }
    assert.equal((await inject({ method: 'POST', url: '/api/v3/write_lp?db=b', payload: '# a comment' })).statusCode, 400);
  });
});

describe('POST /api/v2/write', () => {
  test('the bucket is the database, or database and policy', async () => {
    const { inject, writes } = await testServer();
    for (const bucket of ['b/autogen', 'b/', 'b%2FWeek'])
      await inject({ method: 'POST', url: `/api/v2/write?bucket=${bucket}&orgID=0123456789abcdef`, payload: 'x' });
    assert.deepEqual(
      writes.requests.splice(0).map(({ database }) => database),
      ['b', 'b', 'b/week'],
    );
    const reply = await inject({ method: 'POST', url: '/api/v2/write?bucket=b&org=o&precision=ms', payload: 'x' });
    assert.equal(reply.statusCode, 204);
    assert.deepEqual([writes.requests[0]?.database, writes.requests[0]?.precision], ['b', 'millisecond']);
  });

  test('every error is in shape v2', async () => {
    const { inject } = await testServer();
    const cases: [query: string, message: string][] = [
      ['', 'no org/bucket destination provided'],
      [
        '?bucket=a&precision=h',
        `failed to deserialize org/bucket/precision in request: unknown variant \`h\`, expected one of ${V1_PRECISIONS}`,
      ],
      ['?org=a', 'missing bucket value'],
      ['?bucket=', 'missing bucket value'],
      ['?bucket=a.b', "namespace name 'a.b' contains invalid character, character number 1 is not allowed"],
      ['?bucket=-a', 'db name did not start with a number or letter'],
    ];
    for (const [query, message] of cases) {
      const reply = await inject({ method: 'POST', url: `/api/v2/write${query}`, payload: 'x' });
      assert.deepEqual([reply.statusCode, reply.body], [400, JSON.stringify({ code: 'invalid', message })], query);
    }
  });

  test('body errors', async () => {
    const { inject } = await testServer();
    const url = '/api/v2/write?bucket=b';
    const big = await inject({ method: 'POST', url, payload: 'x'.repeat(1001) });
    assert.deepEqual([big.statusCode, big.body], [413, '{"code":"request too large","message":"max request size (1000 bytes) exceeded"}']);
    const encoding = await inject({ method: 'POST', url, payload: 'x', headers: { 'content-encoding': 'br' } });
    assert.deepEqual([encoding.statusCode, encoding.body], [400, '{"code":"invalid","message":"unacceptable content-encoding: br"}']);
  });

  test('failures of the write service get their prefixes and 400', async () => {
    const { inject, writes } = await testServer();
    const limit = 'Adding a new database would exceed limit of 5 databases';
    const cases: [error: InfluxError, message: string][] = [
      [new InfluxError({ code: 'X', message: 'no', status: 400 }), 'write buffer error: no'],
      [new InfluxError({ code: 'X', message: limit, status: 422, shape: 'json' }), `write buffer error: catalog update error: ${limit}`],
      [
        new InfluxError({ code: 'X', message: 'write buffer error: error from wal: full', status: 500 }),
        'write buffer error: error from wal: full',
      ],
    ];
    for (const [error, message] of cases) {
      writes.answer = () => {
        throw error;
      };
      const reply = await inject({ method: 'POST', url: '/api/v2/write?bucket=b', payload: ',t=v f=1' });
      assert.deepEqual([reply.statusCode, reply.body], [400, JSON.stringify({ code: 'invalid', message })]);
    }
  });
});

describe('request bodies', () => {
  const url = '/api/v3/write_lp?db=foo';

  test('the limit is inclusive, raw and unzipped', async () => {
    const { inject, writes } = await testServer();
    const exact = 'x'.repeat(1000);
    assert.equal((await inject({ method: 'POST', url, payload: exact })).statusCode, 204);
    const zipped = { 'content-encoding': 'gzip' };
    assert.equal((await inject({ method: 'POST', url, payload: gzipSync(exact), headers: zipped })).statusCode, 204);
    for (const reply of [
      await inject({ method: 'POST', url, payload: `${exact}x` }),
      await inject({ method: 'POST', url, payload: gzipSync(`${exact}x`), headers: zipped }),
    ]) {
      assert.deepEqual([reply.statusCode, reply.body], [413, 'max request size (1000 bytes) exceeded']);
    }
    assert.deepEqual(
      writes.requests.map((request) => request.body.length),
      [1000, 1000],
    );
  });

  test('telemetry counts unzipped bytes', async () => {
    const { inject, telemetry } = await testServer();
    await inject({ method: 'POST', url, payload: gzipSync('y'.repeat(900)), headers: { 'content-encoding': 'gzip' } });
    assert.deepEqual(telemetry.writes, [[1, 900]]);
  });

  test('gzip members are concatenated, empty ones are fine', async () => {
    const { inject, writes } = await testServer();
    const payload = Buffer.concat([gzipSync('a\n'), gzipSync(''), gzipSync('b\n'), gzipSync('c')]);
    const reply = await inject({ method: 'POST', url, payload, headers: { 'content-encoding': 'gzip' } });
    assert.equal(reply.statusCode, 204);
    assert.equal(Buffer.from(writes.requests[0]?.body ?? []).toString(), 'a\nb\nc');
  });

  test('identity is no encoding, everything but exact gzip is refused', async () => {
    const { inject } = await testServer();
    const send = (encoding: string) => inject({ method: 'POST', url, payload: 'x', headers: { 'content-encoding': encoding } });
    assert.equal((await send('identity')).statusCode, 204);
    for (const encoding of ['GZIP', 'deflate', 'gzip, gzip']) {
      const reply = await send(encoding);
      assert.deepEqual([reply.statusCode, reply.body], [400, `unacceptable content-encoding: ${encoding}`]);
    }
  });

  test('bad gzip', async () => {
    const { inject } = await testServer();
    const cut = gzipSync('hello world').subarray(0, 20);
    for (const [payload, cause] of [
      [Buffer.from('not gzip at all'), 'invalid gzip header'],
      [cut, 'unexpected end of file'],
    ] as const) {
      const reply = await inject({ method: 'POST', url, payload, headers: { 'content-encoding': 'gzip' } });
      assert.deepEqual([reply.statusCode, reply.body], [400, `error decoding gzip stream: ${cause}`]);
    }
  });

  test('a body that is not UTF-8', async () => {
    const { inject } = await testServer();
    for (const [bytes, detail] of [
      [[0x61, 0xff, 0x62], 'invalid utf-8 sequence of 1 bytes from index 1'],
      [[0x61, 0xe2, 0x82], 'incomplete utf-8 byte sequence from index 1'],
      [[0xe2, 0x82, 0x28], 'invalid utf-8 sequence of 2 bytes from index 0'],
      [[0xed, 0xa0, 0x80], 'invalid utf-8 sequence of 1 bytes from index 0'],
    ] as const) {
      const reply = await inject({ method: 'POST', url, payload: Buffer.from(bytes) });
      assert.deepEqual([reply.statusCode, reply.body], [400, `body content is not valid utf8: ${detail}`]);
    }
  });
});
