import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

type Row = readonly [
  method: string,
  path: string,
  status: number,
  body: string | RegExp,
  sent?: string | Uint8Array<ArrayBuffer> | undefined,
  headers?: Record<string, string>,
];

const PRECISIONS = '`s`, `second`, `millisecond`, `ms`, `microsecond`, `u`, `us`, `n`, `nanosecond`, `ns`';
const NAME = 'invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens';
const POLICY = "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'";
const gzip = { 'content-encoding': 'gzip' };
const cut = new Uint8Array(gzipSync('m v=1').subarray(0, 12));

describe('refusals of the running server', () => {
  let server: TestServer;
  const cleanups: (() => Promise<void>)[] = [];
  before(async () => {
    const hooks = { after: (cleanup: () => Promise<void>) => void cleanups.unshift(cleanup) };
    server = await startServer(hooks, await testDirectory(hooks), { args: ['--max-http-request-size', '1000'] });
    await server.writeOk('db', 'm,t=a v=1i 1');
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  async function check(rows: readonly Row[]): Promise<void> {
    for (const [method, path, status, body, sent, headers = {}] of rows) {
      const response = await fetch(server.url + path, { method, headers, ...(sent === undefined ? {} : { body: sent }) });
      const text = await response.text();
      const what = `${method} ${path} ${JSON.stringify(headers)} -> ${response.status} ${text}`;
      assert.equal(response.status, status, what);
      if (typeof body === 'string') assert.equal(text, body, what);
      else assert.match(text, body, what);
      assert.ok(response.headers.get('cluster-uuid'), what);
    }
  }

  test('routing', () =>
    check([
      ['HEAD', '/query', 404, ''],
      ['PATCH', '/api/v3/write_lp', 404, 'Not found'],
      ['GET', '/health/', 404, 'Not found'],
      ['OPTIONS', '/anything', 204, ''],
      ['POST', '/api/v3/configure/token/admin', 405, 'endpoint disabled, started without auth'],
    ]));

  test('bodies', () =>
    check([
      ['POST', '/api/v3/write_lp?db=db', 400, 'unacceptable content-encoding: deflate', 'm v=1', { 'content-encoding': 'deflate' }],
      ['POST', '/api/v3/write_lp?db=db', 400, /^error decoding gzip stream: /, cut, gzip],
      ['POST', '/api/v3/write_lp?db=db', 413, 'max request size (1000 bytes) exceeded', 'x'.repeat(1001)],
      ['POST', '/api/v3/write_lp?db=db', 413, 'max request size (1000 bytes) exceeded', new Uint8Array(gzipSync('x'.repeat(1001))), gzip],
      ['POST', '/api/v3/write_lp?db=db', 400, /^body content is not valid utf8: /, new Uint8Array([109, 255])],
      [
        'POST',
        '/api/v2/write?bucket=db',
        413,
        '{"code":"request too large","message":"max request size (1000 bytes) exceeded"}',
        'x'.repeat(1001),
      ],
      ['POST', '/api/v2/write?bucket=db', 400, /^\{"code":"invalid","message":"error decoding gzip stream: /, cut, gzip],
    ]));

  test('write_lp', () =>
    check([
      ['POST', '/api/v3/write_lp', 400, "missing query parameter 'db'", 'm v=1'],
      ['POST', '/api/v3/write_lp?precision=s', 400, 'serde error: missing field `db`', 'm v=1'],
      ['POST', '/api/v3/write_lp?db=a&db=b', 400, 'serde error: duplicate field `db`', 'm v=1'],
      [
        'POST',
        '/api/v3/write_lp?db=a&precision=h',
        400,
        /^serde error: unknown variant `h`, expected one of `auto`, `s`, `second`, /,
        'm v=1',
      ],
      ['POST', '/api/v3/write_lp?db=a&no_sync=1', 400, 'serde error: provided string was not `true` or `false`', 'm v=1'],
      ['POST', '/api/v3/write_lp?db=', 400, '{"error":"db name cannot be empty"}', 'm v=1'],
      ['POST', `/api/v3/write_lp?db=${'x'.repeat(512)}`, 400, '{"error":"db name too long: max 511"}', 'm v=1'],
      ['POST', '/api/v3/write_lp?db=_internal', 400, '{"error":"db name did not start with a number or letter"}', 'm v=1'],
      ['POST', '/api/v3/write_lp?db=a.b', 400, JSON.stringify({ error: NAME }), 'm v=1'],
      ['POST', '/api/v3/write_lp?db=a/b/c', 400, JSON.stringify({ error: POLICY }), 'm v=1'],
      ['POST', '/api/v3/write_lp?db=new', 400, 'incoming write was empty', '# nothing\n\n'],
      ['GET', '/api/v3/query_sql?db=new&q=select+1', 404, '{"error":"query error: database not found: new"}'],
    ]));

  test('v1 write', () =>
    check([
      ['POST', '/write', 400, '{"error":"no db destination provided"}', 'm v=1'],
      ['POST', '/write?rp=x', 400, '{"error":"failed to deserialize db/rp/precision in request: missing field `db`"}', 'm v=1'],
      [
        'POST',
        '/write?db=a&precision=d',
        400,
        `{"error":"failed to deserialize db/rp/precision in request: unknown variant \`d\`, expected one of ${PRECISIONS}"}`,
        'm v=1',
      ],
      ['POST', '/write?db=', 400, '{"error":"namespace name  length must be between 1 and 64 characters"}', 'm v=1'],
      [
        'POST',
        '/write?db=a&rp=b.c',
        400,
        /namespace name 'a\/b\.c' contains invalid character, character number 3 is not allowed/,
        'm v=1',
      ],
      ['POST', '/write?db=a/b&rp=c', 400, JSON.stringify({ error: POLICY }), 'm v=1'],
      ['POST', '/write?db=new', 204, '', ''],
      ['GET', '/api/v3/query_sql?db=new&q=select+1', 404, '{"error":"query error: database not found: new"}'],
      ['POST', '/write?db=db', 400, `{"error":"unable to parse 'm v=': No fields were provided"}`, 'm v='],
    ]));

  test('v2 write', () =>
    check([
      ['POST', '/api/v2/write', 400, '{"code":"invalid","message":"no org/bucket destination provided"}', 'm v=1'],
      ['POST', '/api/v2/write?org=o', 400, '{"code":"invalid","message":"missing bucket value"}', 'm v=1'],
      [
        'POST',
        '/api/v2/write?bucket=b&precision=h',
        400,
        `{"code":"invalid","message":"failed to deserialize org/bucket/precision in request: unknown variant \`h\`, expected one of ${PRECISIONS}"}`,
        'm v=1',
      ],
      ['POST', '/api/v2/write?bucket=-b', 400, '{"code":"invalid","message":"db name did not start with a number or letter"}', 'm v=1'],
      ['POST', '/api/v2/write?bucket=db', 204, '', ''],
    ]));

  test('query_sql', () =>
    check([
      ['GET', '/api/v3/query_sql', 400, "missing query parameters 'db' and 'q'"],
      ['GET', '/api/v3/query_sql?q=select+1', 400, 'serde error: missing field `db`'],
      ['GET', '/api/v3/query_sql?db=db', 400, 'serde error: missing field `q`'],
      [
        'GET',
        '/api/v3/query_sql?db=db&q=select+1&format=xml',
        400,
        'serde error: unknown variant `xml`, expected one of `parquet`, `csv`, `pretty`, `json`, `json_lines`, `jsonl`',
      ],
      ['GET', '/api/v3/query_sql?db=db&q=select+1&format=csv', 400, 'invalid mime type (image/png)', undefined, { accept: 'image/png' }],
      ['POST', '/api/v3/query_sql', 400, 'serde json error: EOF while parsing a value at line 1 column 0', ''],
      ['POST', '/api/v3/query_sql', 400, /^serde json error: missing field `q` at line 1 column \d+$/, '{"db":"db"}'],
      [
        'POST',
        '/api/v3/query_sql',
        400,
        /^serde json error: JSON arrays are not supported as query parameters\./,
        '{"db":"db","q":"select 1","params":{"a":[]}}',
      ],
      ['GET', '/api/v3/query_sql?db=db&q=selec', 400, /^SQL error: ParserError\("/],
      ['GET', '/api/v3/query_sql?db=db&q=drop+table+m', 400, /^Error during planning: /],
      ['GET', '/api/v3/query_sql?db=db&q=select+*+from+nope', 400, "Error during planning: table 'public.iox.nope' not found"],
      ['GET', '/api/v3/query_sql?db=db&q=select+nope+from+m', 400, /^Schema error: No field named nope/],
      ['GET', '/api/v3/query_sql?db=db&q=select+$host', 400, /No value found for placeholder with name \$host/],
    ]));
});
