import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { testServer } from './fakes.ts';

test('raw UTF-8 in the first target of a connection is read', async () => {
  for (const rawLane of [true, false]) {
    const { server, queries } = await testServer({ rawLane });
    const { port } = await server.listen('127.0.0.1', 0);
    after(() => server.close());
    const target = Buffer.from('GET /api/v3/query_sql?db=d&q=ä HTTP/1.1\r\nHost: a\r\n\r\n').toString('latin1');
    const socket = connect(port, '127.0.0.1');
    socket.end(Buffer.from(target, 'latin1'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 /);
    assert.equal(queries.requests.at(-1)?.query, 'ä');
    socket.destroy();
  }
});
