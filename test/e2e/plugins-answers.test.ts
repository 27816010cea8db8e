import assert from 'node:assert/strict';
import { connect, constants } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PluginServer } from '../support/plugins.ts';

const MIB = 1024 * 1024;

const PYTHON = `
def pieces(influxdb3_local, count, fails):
    at = 0
    try:
        for at in range(count):
            yield ("%08d" % at) * 65536
            if fails and at == count - 1:
                raise ValueError("on the way")
        influxdb3_local.write(LineBuilder("sent").tag("by", "python").int64_field("count", at + 1))
    finally:
        influxdb3_local.info("ended after", at + 1, "of", count)

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    count = int(query_parameters["count"])
    if query_parameters["as"] == "text":
        return ("x" * (count * 1024 * 1024), 201, {"X-A": "1"})
    return pieces(influxdb3_local, count, query_parameters["as"] == "failing")
`;

const JAVASCRIPT = `
async function* pieces(api, count, fails) {
  let at = 0;
  try {
    for (; at < count; at++) {
      const text = String(at).padStart(8, '0').repeat(65536);
      yield at % 2 === 0 ? text : Buffer.from(text);
      if (fails && at === count - 1) throw new RangeError('on the way');
    }
    api.write(new LineBuilder('sent').tag('by', 'javascript').intField('count', at));
  } finally {
    api.info('ended after', Math.min(at + 1, count), 'of', count);
  }
}

export function processRequest(api, { query }) {
  const body = pieces(api, Number(query.count), query.as === 'failing');
  if (query.as === 'plugin') return new PluginResponse(body, { status: 201, headers: { 'X-A': '1', 'content-type': 'text/csv' } });
  if (query.as === 'web') return new Response(ReadableStream.from(body), { status: 202, headers: { 'x-a': '2' } });
  if (query.as === 'sync') return (function* () { yield 'a'; yield new Uint8Array([98]); })();
  if (query.as === 'odd') return (function* () { yield 'a'; yield 3; })();
  return body;
}
`;

/** Eight digits of each half MiB, and how many there are. */
function numbers(text: string): number[] {
  return Array.from({ length: text.length / (MIB / 2) }, (_, at) => Number(text.slice(at * (MIB / 2), at * (MIB / 2) + 8)));
}

describe('long answers of request plugins', () => {
  let plugins: PluginServer;
  const ends: (() => Promise<void>)[] = [];
  const ask = (path: string): Promise<Response> => fetch(`${plugins.server.url}/api/v3/engine/${path}`);
  before(async () => {
    const files = { 'long.py': PYTHON, 'long.js': JAVASCRIPT };
    plugins = await PluginServer.start({ after: (end) => ends.unshift(end) }, files, { args: ['--plugin-invocation-timeout', '60s'] });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ name: 'python', plugin: 'long.py', spec: 'request:python' });
    await plugins.created({ name: 'javascript', plugin: 'long.js', spec: 'request:javascript' });
  });
  after(async () => {
    for (const end of ends) await end();
  });

  for (const language of ['python', 'javascript']) {
    test(`${language}: a generator is sent while it runs, and what it queued is stored when its answer has ended`, async () => {
      const response = await ask(`${language}?as=pieces&count=9`);
      const { headers, status } = response;
      assert.deepEqual([status, headers.get('content-type'), headers.get('content-length')], [200, 'text/html', null]);
      assert.deepEqual(numbers(await response.text()), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
      assert.deepEqual(await plugins.server.rows('db', `SELECT count FROM sent WHERE by = '${language}'`), [{ count: 9 }]);
    });

    test(`${language}: a short one is one answer, with its length`, async () => {
      const response = await ask(`${language}?as=pieces&count=1`);
      assert.equal(response.headers.get('content-length'), String(MIB / 2));
      assert.deepEqual(numbers(await response.text()), [0]);
    });

    test(`${language}: a plugin does not run ahead of a client that reads slowly, and ends when the client leaves`, async () => {
      const reader = (await ask(`${language}?as=pieces&count=1000`)).body?.getReader();
      await reader?.read();
      await reader?.cancel();
      const row = await plugins.logged(/^INFO ended after \d+ of 1000$/);
      const made = Number(/after (\d+)/.exec(row)?.[1]);
      assert.ok(made < 100, row);
      assert.equal((await ask(`${language}?as=pieces&count=1`)).status, 200, 'the next request has its turn');
    });

    test(`${language}: a failure on the way breaks the connection, drops what was queued, and is told in the log`, async () => {
      const response = await ask(`${language}?as=failing&count=7`);
      assert.equal(response.status, 200);
      await assert.rejects(response.text());
      const name = language === 'python' ? 'ValueError' : 'RangeError';
      await plugins.logged(`ERROR error running request plugin: ${name}: on the way`);
      assert.deepEqual(await plugins.server.rows('db', 'SELECT count FROM sent WHERE count = 7'), []);
      const short = await ask(`${language}?as=failing&count=1`);
      assert.deepEqual([short.status, await short.text()], [500, `{"error":"${name}: on the way"}`]);
    });
  }

  test('over HTTP/2 pieces come as well, a slow client holds the plugin up, and a failure resets the stream', async () => {
    const session = connect(plugins.server.url);
    const get = async (path: string, pauseMs = 0): Promise<string> => {
      const stream = session.request({ ':path': `/api/v3/engine/${path}` });
      let text = '';
      for await (const chunk of stream) {
        text += String(chunk);
        if (pauseMs > 0) await delay(pauseMs);
      }
      return text;
    };
    try {
      assert.deepEqual(numbers(await get('python?as=pieces&count=5', 1)), [0, 1, 2, 3, 4]);
      assert.deepEqual(numbers(await get('javascript?as=pieces&count=5')), [0, 1, 2, 3, 4]);
      await assert.rejects(get('python?as=failing&count=7'));
      const left = session.request({ ':path': '/api/v3/engine/javascript?as=pieces&count=999' });
      left.once('data', () => left.close(constants.NGHTTP2_CANCEL));
      const row = await plugins.logged(/^INFO ended after \d+ of 999$/);
      assert.ok(Number(/after (\d+)/.exec(row)?.[1]) < 100, row);
    } finally {
      session.close();
    }
  });

  test('a long text has its length, status and headers', async () => {
    const response = await ask('python?as=text&count=5');
    const { headers, status } = response;
    assert.deepEqual([status, headers.get('x-a'), headers.get('content-length')], [201, '1', String(5 * MIB)]);
    assert.equal((await response.text()).length, 5 * MIB);
  });

  test('generators inside a PluginResponse, streams of a Response and plain generators are bodies', async () => {
    for (const [what, status, header, type] of [
      ['plugin', 201, '1', 'text/csv'],
      ['web', 202, '2', null],
    ] as const) {
      const response = await ask(`javascript?as=${what}&count=4`);
      assert.deepEqual([response.status, response.headers.get('x-a'), response.headers.get('content-type')], [status, header, type]);
      assert.deepEqual(numbers(await response.text()), [0, 1, 2, 3]);
    }
    const plain = await ask('javascript?as=sync&count=0');
    assert.deepEqual([plain.status, await plain.text()], [200, 'ab']);
    const odd = await ask('javascript?as=odd&count=0');
    assert.deepEqual([odd.status, await odd.text()], [500, '{"error":"A piece of an answer is a string or a Uint8Array, not number"}']);
  });
});
