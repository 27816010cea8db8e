import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decode, decodeMulti, ExtensionCodec } from '@msgpack/msgpack';
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

/** Extension type 5 of InfluxDB 1: seconds and nanoseconds, the greatest byte first. */
const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: 5,
  encode: () => null,
  decode: (bytes) => {
    assert.equal(bytes.length, 12);
    const view = Buffer.from(bytes);
    return { seconds: view.readBigInt64BE(0), nanoseconds: view.readUInt32BE(8) };
  },
});
const options = { useBigInt64: true, extensionCodec } as const;

interface Document {
  readonly results: readonly {
    readonly statement_id: bigint;
    readonly series?: readonly { readonly name: string; readonly values: readonly unknown[][] }[];
    readonly error?: string;
  }[];
}

async function answered(params: Readonly<Record<string, string>>): Promise<Document> {
  return decode(await packed(params), options) as Document;
}

describe('MessagePack answers of /query', () => {
  it('are maps with names, times as extension type 5, integers of 64 bits and floats that stay floats', async () => {
    const bytes = await packed({ q: 'SELECT f, i, u, b, s FROM m' });
    const columns = ['time', 'f', 'i', 'u', 'b', 's'];
    const time = (seconds: bigint, nanoseconds = 0): unknown => ({ seconds, nanoseconds });
    const values = [
      [time(1n, 1), 1, 9223372036854775807n, 18446744073709551615n, true, 'ä'],
      [time(2n), 2.5, -9223372036854775808n, null, null, null],
      [time(3n), -0.5, null, null, null, null],
    ];
    assert.deepEqual(decode(bytes, options), { results: [{ statement_id: 0n, series: [{ name: 'm', columns, values }] }] });
    assert.ok(bytes.includes(Buffer.from('cb3ff0000000000000', 'hex')), 'a whole float is written as a float');
    assert.ok(bytes.includes(Buffer.from('c70c05000000000000000100000001', 'hex')), 'the time of the first row');
  });

  it('times before 1970 keep their nanoseconds', async () => {
    await server.writeOk('db', 'old v=1 -1\nold v=2 -1500000000', '&precision=nanosecond');
    const { results } = await answered({ q: 'SELECT v FROM old' });
    assert.deepEqual(
      results[0]?.series?.[0]?.values.map(([time]) => time),
      [
        { seconds: -2n, nanoseconds: 500_000_000 },
        { seconds: -1n, nanoseconds: 999_999_999 },
      ],
    );
  });

  it('epoch, tags, statements, refusals and nothing', async () => {
    const q = 'SELECT f FROM m GROUP BY host; SELECT f FROM nothing; SELECT foo(f) FROM m; SHOW DATABASES';
    const { results } = await answered({ q, epoch: 's' });
    const columns = ['time', 'f'];
    assert.deepEqual(results[0], {
      statement_id: 0n,
      series: [
        { name: 'm', tags: { host: '' }, columns, values: [[3n, -0.5]] },
        { name: 'm', tags: { host: 'a' }, columns, values: [[1n, 1]] },
        { name: 'm', tags: { host: 'b' }, columns, values: [[2n, 2.5]] },
      ],
    });
    assert.deepEqual(results[1], { statement_id: 1n });
    assert.deepEqual(Object.keys(results[2] ?? {}), ['statement_id', 'error']);
    assert.match(String(results[2]?.error), /foo/);
    assert.deepEqual(results[3], {
      statement_id: 3n,
      series: [{ name: 'databases', columns: ['name'], values: [['db']] }],
    });
  });

  it('chunks are documents one after the other', async () => {
    const bytes = await packed({
      q: 'SELECT f FROM m; SELECT foo(f) FROM m; SELECT f FROM nothing',
      chunked: 'true',
      chunk_size: '2',
      epoch: 'ns',
    });
    const documents = [...decodeMulti(bytes, options)];
    const columns = ['time', 'f'];
    const first = [
      [1000000001n, 1],
      [2000000000n, 2.5],
    ];
    assert.deepEqual(documents.slice(0, 2), [
      { results: [{ statement_id: 0n, series: [{ name: 'm', columns, values: first, partial: true }], partial: true }] },
      { results: [{ statement_id: 0n, series: [{ name: 'm', columns, values: [[3000000000n, -0.5]] }] }] },
    ]);
    assert.deepEqual(documents[3], { results: [{ statement_id: 2n }] });
    assert.equal(documents.length, 4);
  });

  it('many rows, series and infinite numbers', async () => {
    const lines = Array.from({ length: 70_000 }, (_, i) => `w,k=${i % 20} v=${i}i ${i}`);
    await server.writeOk('db', lines.join('\n'), '&precision=nanosecond');
    const { results } = await answered({ q: 'SELECT v FROM w; SELECT count(v) FROM w GROUP BY k', epoch: 'ns' });
    const rows = results[0]?.series?.[0]?.values;
    assert.equal(rows?.length, 70_000);
    assert.deepEqual(rows?.[69_999], [69_999n, 69_999n]);
    assert.equal(results[1]?.series?.length, 20);
    const infinite = await answered({ q: 'SELECT exp(f * 10000) FROM m WHERE f > 0', epoch: 's' });
    assert.deepEqual(infinite.results[0]?.series?.[0]?.values, [
      [1n, Number.POSITIVE_INFINITY],
      [2n, Number.POSITIVE_INFINITY],
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
    assert.match(await response.text(), /"values":\[\["db"\]\]/);
    const form = new FormData();
    form.append('q', 'a');
    form.append('q', 'b');
    const twice = await fetch(`${server.url}/query`, { method: 'POST', body: form });
    assert.deepEqual([twice.status, await twice.text()], [400, '{"error":"error decoding params from url: duplicate field `q`"}']);
  });
});
