import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { rawExchange } from '../support/raw-exchange.ts';
import { type TestServer, testServer } from './fakes.ts';

async function listening(t: TestContext): Promise<TestServer & { readonly port: number }> {
  const started = await testServer();
  const { port } = await started.server.listen('127.0.0.1', 0);
  t.after(() => started.server.close());
  return { ...started, port };
}

test('pipelined writes are carried out one after the other, in their order', async (t) => {
  const { port, writes } = await listening(t);
  const { asked, finish } = writes.hold();
  const write = (body: string): string => `POST /write?db=d HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const answers = rawExchange(port, [write('m f=1') + write('m f=2') + write('m f=3')], /(?:HTTP\/1\.1 204 .*){3}\r\n\r\n$/s);
  await asked;
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200); // the server has had turns to begin another
  assert.equal(writes.requests.length, 1);
  finish();
  await answers;
  assert.deepEqual(
    writes.requests.map(({ body }) => body.toString()),
    ['m f=1', 'm f=2', 'm f=3'],
  );
});

test('a write is answered although the bytes after it cannot be read', async (t) => {
  const { port, writes } = await listening(t);
  const { asked, finish } = writes.hold();
  const bytes = 'POST /write?db=d HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nm f=1POST /write\x01';
  const answers = rawExchange(port, [bytes], /HTTP\/1\.1 400 .*\r\n\r\n.+$/s);
  await asked;
  finish();
  assert.match(
    await answers,
    /^HTTP\/1\.1 204 .*HTTP\/1\.1 400 Bad Request\r\nconnection: close\r\ncontent-length: \d+\r\n.*\r\n\r\nthe URL has bytes/s,
  );
});

test('nothing is carried out after an answer that closes the connection', async (t) => {
  const { port, writes } = await listening(t);
  const closing = 'POST /write?db=d HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nm f=1';
  const after = 'POST /write?db=d HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nm f=2';
  const hostless = 'POST /write?db=d HTTP/1.1\r\ncontent-length: 5\r\n\r\nm f=3';
  for (const [first, status] of [
    [closing, 204],
    [hostless, 400],
  ] as const) {
    const answers = await rawExchange(port, [first + after], /$^/); // until it is closed
    assert.deepEqual(answers.match(/^HTTP\/1\.1 \d+/gm), [`HTTP/1.1 ${status}`]);
  }
  assert.deepEqual(
    writes.requests.map(({ body }) => body.toString()),
    ['m f=1'],
  );
});
