import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decode, decodeMulti } from '@msgpack/msgpack';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  await server.writeOk(
    'db',
    'm,host=a f=1,i=9223372036854775807i,u=18446744073709551615u,b=true,s="ä" 1000000001\nm,host=b f=2.5,i=-9223372036854775808i 2000000000\nm f=-0.5 3000000000',
    '&precision=nanosecond',
  );
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

async function packed(params: Readonly<Record<string, string>>): Promise<Buffer> {
  const response = await fetch(`${server.url}/query?${new URLSearchParams({ db: 'db', ...params })}`, {
    headers: { accept: 'application/x-msgpack' },
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/x-msgpack');
  return Buffer.from(await response.arrayBuffer());
}

const options = { useBigInt64: true } as const;

describe('MessagePack answers of /query', () => {
  it('structs are arrays, absent members are left out, integers keep 64 bits and floats stay floats', async () => {
    const bytes = await packed({ q: 'SELECT f, i, u, b, s FROM m' });
    const [results, ...more] = decode(bytes, options) as unknown[][];
    assert.deepEqual(more, []);
    const columns = ['time', 'f', 'i', 'u', 'b', 's'];
    const rows = [
      ['1970-01-01T00:00:01.000000001Z', 1, 9223372036854775807n, 18446744073709551615n, true, 'ä'],
      ['1970-01-01T00:00:02Z', 2.5, -9223372036854775808n, null, null, null],
      ['1970-01-01T00:00:03Z', -0.5, null, null, null, null],
    ];
    assert.deepEqual(results, [[0n, [['m', columns, rows]]]]);
    assert.ok(bytes.includes(Buffer.from('cb3ff0000000000000', 'hex')), 'a whole float is written as a float');
  });

  it('epoch, tags, statements, refusals and nothing', async () => {
    const q = 'SELECT f FROM m GROUP BY host; SELECT f FROM nothing; SELECT foo(f) FROM m; SHOW DATABASES';
    const [results] = decode(await packed({ q, epoch: 's' }), options) as [unknown[][]];
    assert.deepEqual(results[0], [
      0n,
      [
        ['m', { host: 'a' }, ['time', 'f'], [[1n, 1]]],
        ['m', { host: 'b' }, ['time', 'f'], [[2n, 2.5]]],
        ['m', { host: '' }, ['time', 'f'], [[3n, -0.5]]],
      ],
    ]);
    assert.deepEqual(results[1], [1n]);
    assert.equal(results[2]?.length, 2);
    assert.match(String(results[2]?.[1]), /foo/);
    assert.deepEqual(results[3], [3n, [['databases', ['name'], [['_internal'], ['db']]]]]);
    assert.equal((await packed({ q: '' })).length, 0);
    const [broken] = decode(await packed({ q: 'SELEC' }), options) as [unknown[][]];
    assert.match(String(broken[0]?.[1]), /^error in InfluxQL statement: parsing error/);
  });

  it('chunks are documents one after the other', async () => {
    const bytes = await packed({
      q: 'SELECT f FROM m; SELECT foo(f) FROM m; SELECT f FROM nothing',
      chunked: 'true',
      chunk_size: '2',
      epoch: 'ns',
    });
    const documents = [...decodeMulti(bytes, options)];
    assert.deepEqual(documents.slice(0, 2), [
      [
        [
          [
            0n,
            [
              [
                'm',
                ['time', 'f'],
                [
                  [1000000001n, 1],
                  [2000000000n, 2.5],
                ],
                true,
              ],
            ],
            true,
          ],
        ],
      ],
      [[[0n, [['m', ['time', 'f'], [[3000000000n, -0.5]]]]]]],
    ]);
    assert.deepEqual(documents[3], [[[2n]]]);
    assert.equal(documents.length, 4);
  });

  it('many rows, series and infinite numbers', async () => {
    const lines = Array.from({ length: 70_000 }, (_, i) => `w,k=${i % 20} v=${i}i ${i}`);
    await server.writeOk('db', lines.join('\n'), '&precision=nanosecond');
    const [results] = decode(await packed({ q: 'SELECT v FROM w; SELECT count(v) FROM w GROUP BY k', epoch: 'ns' }), options) as [
      unknown[][],
    ];
    const [series] = (results[0] as [bigint, [string, string[], unknown[][]][]])[1];
    assert.equal(series?.[2].length, 70_000);
    assert.deepEqual(series?.[2][69_999], [69_999n, 69_999n]);
    assert.equal((results[1] as [bigint, unknown[]])[1].length, 20);
    const [infinite] = decode(await packed({ q: 'SELECT exp(f * 10000) FROM m WHERE f > 0', epoch: 's' }), options) as [unknown[][]];
    assert.deepEqual(infinite, [
      [
        0n,
        [
          [
            'm',
            ['time', 'exp'],
            [
              [1n, Number.POSITIVE_INFINITY],
              [2n, Number.POSITIVE_INFINITY],
            ],
          ],
        ],
      ],
    ]);
  });
});

describe('multipart bodies of /query', () => {
  async function post(form: FormData, url = ''): Promise<string> {
    const response = await fetch(`${server.url}/query${url}`, { method: 'POST', body: form });
    assert.equal(response.status, 200);
    return response.text();
  }
  const expected = '{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","s"],"values":[[1,"ä"]]}]}]}';

  it('takes fields, then the URL for what no field names', async () => {
    const form = new FormData();
    form.set('q', "SELECT s FROM m WHERE s = 'ä'");
    form.set('epoch', 's');
    form.set('unknown', 'x');
    assert.equal(await post(form, '?db=db&epoch=ns&q=nonsense'), expected);
  });

  it('takes a file for a field', async () => {
    const form = new FormData();
    form.set('q', new Blob(["SELECT s FROM m WHERE s = 'ä'"]), 'queries.txt');
    form.set('db', 'db');
    form.set('epoch', 's');
    assert.equal(await post(form), expected);
  });

  it('takes a zipped body, and refuses a field that comes twice', async () => {
    const body = '--x y\r\nContent-Disposition: form-data; name="q"\r\n\r\nSHOW DATABASES\r\n--x y--\r\n';
    const headers = { 'content-type': 'multipart/form-data; boundary="x y"', 'content-encoding': 'gzip' };
    const response = await fetch(`${server.url}/query`, { method: 'POST', headers, body: gzipSync(body) });
    assert.match(await response.text(), /"_internal"/);
    const form = new FormData();
    form.append('q', 'a');
    form.append('q', 'b');
    const twice = await fetch(`${server.url}/query`, { method: 'POST', body: form });
    assert.deepEqual([twice.status, await twice.text()], [400, '{"error":"error decoding params from url: duplicate field `q`"}']);
  });
});
