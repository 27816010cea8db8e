import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { testServer } from './fakes.ts';
import { testCertificate, testKey } from './tls-fixture.ts';

const request = (q: string) => Buffer.from(`GET /api/v3/query_sql?db=d&q=${q} HTTP/1.1\r\nHost: a\r\n\r\n`);

async function answerTo(socket: Socket, bytes: Buffer): Promise<string> {
  socket.write(bytes);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString('latin1');
}

test('raw UTF-8 in the first target of a connection is read, and the connection ends', async () => {
  const tls = { cert: testCertificate, key: testKey, minVersion: 'TLSv1.2' as const };
  for (const options of [{ rawLane: true }, { rawLane: false }, { tls }]) {
    const { server, queries } = await testServer(options);
    const { port } = await server.listen('127.0.0.1', 0);
    after(() => server.close());
    const socket = 'tls' in options ? connectTls({ port, host: '127.0.0.1', ca: tls.cert }) : connect(port, '127.0.0.1');
    const ended = once(socket, 'close');
    const answer = await answerTo(socket, request('ä'));
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /^connection: close\r$/im);
    assert.equal(queries.requests.at(-1)?.query, 'ä');
    socket.end();
    await ended;
  }
});

test('raw UTF-8 in a later target is refused by name', async () => {
  const { server } = await testServer();
  const { port } = await server.listen('127.0.0.1', 0);
  after(() => server.close());
  const socket = connect(port, '127.0.0.1');
  assert.match(await answerTo(socket, request('a')), /^HTTP\/1\.1 200 /);
  assert.match(await answerTo(socket, request('ä')), /^HTTP\/1\.1 400 .*must be written as %XX/s);
  socket.destroy();
});
