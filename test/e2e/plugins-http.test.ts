import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';

const MIB = 1024 * 1024;

const PYTHON = `
def pieces(influxdb3_local):
    try:
        for _ in range(5):
            yield "x" * 1000000
    finally:
        influxdb3_local.info("pieces ended")

def process_request(influxdb3_local, q, h, b, args=None):
    if q["do"] == "status":
        return ("body", int(q["status"]))
    if q["do"] == "header":
        return ("body", {q["name"]: q["value"]})
    if q["do"] == "pieces":
        return pieces(influxdb3_local)
    return {"bytes": len(b), "sum": sum(b)}
`;

const JAVASCRIPT = `
function* pieces(api) {
  try {
    for (let at = 0; at < 5; at++) yield 'x'.repeat(1e6);
  } finally {
    api.info('pieces ended');
  }
}

export function processRequest(api, { query, body }) {
  if (query.do === 'status') return new PluginResponse('body', { status: Number(query.status) });
  if (query.do === 'header') return new PluginResponse('body', { headers: { [query.name]: query.value } });
  if (query.do === 'pieces') return new PluginResponse(pieces(api), { status: Number(query.status) });
  if (query.do === 'cookies') {
    const answer = new Response('body');
    for (const cookie of ['a=1', 'b=2']) answer.headers.append('set-cookie', cookie);
    return answer;
  }
  return { bytes: body.length, sum: body.reduce((sum, byte) => sum + byte, 0) };
}
`;

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

describe('answers of request plugins on the wire', () => {
  let plugins: PluginServer;
  let session: ClientHttp2Session;
  const ends: (() => Promise<void>)[] = [];
  before(async () => {
    plugins = await PluginServer.start({ after: (end) => ends.unshift(end) }, { 'r.py': PYTHON, 'r.js': JAVASCRIPT });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ name: 'python', plugin: 'r.py', spec: 'request:python' });
    await plugins.created({ name: 'javascript', plugin: 'r.js', spec: 'request:javascript' });
    session = connect(plugins.server.url);
  });
  after(async () => {
    session.destroy();
    for (const end of ends) await end();
  });

  const overHttp1 = async (path: string): Promise<Seen> => {
    const asked = request(`${plugins.server.url}/api/v3/engine/${path}`, { agent: false }).end();
    asked.on('information', () => asked.destroy(new Error('an answer that is none')));
    const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    return { status: answer.statusCode ?? 0, headers: answer.headers, text };
  };
  const overHttp2 = async (path: string): Promise<Seen> => {
    const stream = session.request({ ':path': `/api/v3/engine/${path}` });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return { status: Number(headers[':status']), headers, text };
  };
  const lanes = [
    ['HTTP/1.1', overHttp1],
    ['HTTP/2', overHttp2],
  ] as const;

  for (const language of ['python', 'javascript']) {
    test(`${language}: each status is an answer on both versions of HTTP, or is refused with one`, async () => {
      for (const [version, ask] of lanes) {
        const seen = async (status: number): Promise<unknown[]> => {
          const { headers, status: got, text } = await ask(`${language}?do=status&status=${status}`);
          return [got, text, headers['content-length']];
        };
        for (const status of [-1, 0, 99, 100, 101, 103, 199, 1000]) {
          const text = `{"error":"invalid status code ${status}"}`;
          assert.deepEqual(await seen(status), [500, text, String(text.length)], `${version} ${status}`);
        }
        for (const status of [200, 299, 404, 599]) assert.deepEqual(await seen(status), [status, 'body', '4'], `${version} ${status}`);
        for (const status of [204, 205, 304]) assert.deepEqual((await seen(status)).slice(0, 2), [status, ''], `${version} ${status}`);
        for (const status of [600, 999]) {
          const expected = version === 'HTTP/2' ? [500, `{"error":"HTTP/2 has no status code ${status}"}`] : [status, 'body'];
          assert.deepEqual((await seen(status)).slice(0, 2), expected, `${version} ${status}`);
        }
      }
    });

    test(`${language}: headers of the connection and of the server are not the plugin's, and no header keeps its answer from coming`, async () => {
      const own = ['connection', 'transfer-encoding', 'content-length', 'keep-alive', 'upgrade', 'date', 'trailer', 'te'];
      const server = ['proxy-connection', 'http2-settings', 'cluster-uuid', 'access-control-allow-origin', ':status', 'a b', '', 'ü'];
      for (const [version, ask] of lanes) {
        for (const name of [...own, ...server]) {
          const { headers, status, text } = await ask(`${language}?do=header&name=${encodeURIComponent(name)}&value=odd`);
          assert.deepEqual([status, text], [200, 'body'], `${version} ${name}`);
          assert.ok(!Object.values(headers).includes('odd'), `${version} ${name}`);
        }
        const cut = await ask(`${language}?do=header&name=x-a&value=${encodeURIComponent('a\r\nx-b: c')}`);
        assert.deepEqual([cut.headers['x-a'], cut.headers['x-b']], ['', undefined], 'a value that would be two headers is sent empty');
      }
    });

    test(`${language}: a body that comes in chunks arrives whole, one that is too large is refused, and one that is cut off calls nothing`, async () => {
      const body = Buffer.alloc(9 * MIB, 3);
      const chunks = async function* (count: number): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < count; at++) yield body.subarray(at * MIB, (at + 1) * MIB);
      };
      const post = async (parts: AsyncGenerator<Uint8Array>): Promise<Response> => {
        const init = { method: 'POST', body: ReadableStream.from(parts), duplex: 'half' } as RequestInit;
        return fetch(`${plugins.server.url}/api/v3/engine/${language}?do=sum`, init);
      };
      assert.deepEqual(await (await post(chunks(9))).json(), { bytes: 9 * MIB, sum: 27 * MIB });
      const large = await fetch(`${plugins.server.url}/api/v3/engine/${language}?do=sum`, { method: 'POST', body: Buffer.alloc(11 * MIB) });
      assert.deepEqual([large.status, (await large.text()).length > 0], [413, true]);
      const calls = async (): Promise<number> => {
        const metrics = await (await fetch(`${plugins.server.url}/metrics`)).text();
        return Number(new RegExp(`trigger_runs_total{db="db",trigger="${language}"} (\\d+)`).exec(metrics)?.[1]);
      };
      const made = await calls();
      const cut = request(`${plugins.server.url}/api/v3/engine/${language}?do=sum`, { method: 'POST', agent: false });
      const broken = once(cut, 'error');
      cut.write(body.subarray(0, MIB), () => cut.destroy(new Error('the client leaves')));
      await assert.rejects(Promise.race([once(cut, 'response'), broken.then(([error]) => Promise.reject(error))]), /the client leaves/);
      assert.deepEqual(await (await post(chunks(1))).json(), { bytes: MIB, sum: 3 * MIB });
      assert.equal(await calls(), made + 1);
    });
  }

  test('several cookies of a Response all go to the client', async () => {
    for (const [version, ask] of lanes) {
      assert.deepEqual((await ask('javascript?do=cookies')).headers['set-cookie'], ['a=1', 'b=2'], version);
    }
  });

  test('a long answer with a status that has no body ends its generator and the next request has its turn', async () => {
    for (const [version, ask] of lanes) {
      const { status, text } = await ask('javascript?do=pieces&status=204');
      assert.deepEqual([status, text], [204, ''], version);
    }
    assert.equal((await overHttp2('javascript?do=pieces&status=700')).status, 500);
    await plugins.rowsOf('db', "SELECT 1 FROM system.processing_engine_logs WHERE log_text = 'pieces ended'", 3);
    assert.equal((await overHttp1('javascript?do=status&status=201')).status, 201);
  });
});
