import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { until } from '../support/until.ts';
import { testServer } from './fakes.ts';
import { testCertificate, testKey } from './tls-fixture.ts';

const request = (q: string) => Buffer.from(`GET /api/v3/query_sql?db=d&q=${q} HTTP/1.1\r\nHost: a\r\n\r\n`);

const write = (q: string) => Buffer.from(`POST /write?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n${q} f=1`);

async function answerTo(socket: Socket, bytes: Buffer): Promise<string> {
  socket.write(bytes);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString('latin1');
}

test('raw UTF-8 in any target of a connection is read, and the connection ends', async () => {
  const tls = { cert: testCertificate, key: testKey, minVersion: 'TLSv1.2' as const };
  for (const options of [{ rawLane: true }, { rawLane: false }, { tls }]) {
    const { server, queries, writes } = await testServer(options);
    const { port } = await server.listen('127.0.0.1', 0);
    after(() => server.close());
    for (const before of [[], [write('a')], [request('a')], [write('a'), request('a')]]) {
      const socket = 'tls' in options ? connectTls({ port, host: '127.0.0.1', ca: tls.cert }) : connect(port, '127.0.0.1');
      const ended = once(socket, 'close');
      for (const bytes of before) assert.match(await answerTo(socket, bytes), /^HTTP\/1\.1 20[04] .*keep-alive/s);
      const answer = await answerTo(socket, request('ä'));
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.match(answer, /^connection: close\r$/im);
      assert.equal(queries.requests.at(-1)?.query, 'ä');
      await ended;
    }
    assert.equal(writes.requests.length, 2);
  }
});

test('raw UTF-8 in a target behind others that came with it: all are carried out in their order, and a body may lag behind', async () => {
  const { server, queries, writes } = await testServer();
  const { port } = await server.listen('127.0.0.1', 0);
  after(() => server.close());
  const socket = connect(port, '127.0.0.1');
  const ended = once(socket, 'close');
  let answers = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answers += text;
  });
  const body = JSON.stringify({ db: 'd', q: 'b' });
  const post = `POST /api/v3/query_sql?x=ö HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(Buffer.concat([request('a'), write('a'), Buffer.from(post), Buffer.from(body.slice(0, 3))]));
  await until(async () => (writes.requests.length > 0 ? true : undefined));
  socket.write(body.slice(3));
  await ended;
  assert.deepEqual(
    answers.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9)),
    ['200', '204', '200'],
  );
  assert.deepEqual(
    queries.requests.map(({ query }) => query),
    ['a', 'b'],
  );
  assert.equal(writes.requests.length, 1);
});

test('raw UTF-8 in a target that cannot be read again is refused by name', async () => {
  const { server } = await testServer();
  const { port } = await server.listen('127.0.0.1', 0);
  after(() => server.close());
  const socket = connect(port, '127.0.0.1');
  await answerTo(socket, request('a'));
  assert.match(await answerTo(socket, Buffer.from('LINK /ä HTTP/1.1\r\nHost: a\r\n\r\n')), /^HTTP\/1\.1 400 .*must be written as %XX/s);
  socket.destroy();
});
