import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { testServer } from './fakes.ts';
import { testCertificate, testKey } from './tls-fixture.ts';

test('gRPC is answered over TLS on the port that answers HTTP/1.1 and HTTP/2', async (t) => {
  const { server } = await testServer({ tls: { cert: testCertificate, key: testKey, minVersion: 'TLSv1.2' } });
  const { port } = await server.listen('127.0.0.1', 0);
  t.after(() => server.close());
  // By name: with an address, grpc-js asks for a server name that Node.js 26 refuses.
  const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(testCertificate)));
  t.after(() => client.close());
  const ticket = writeMessage([[1, JSON.stringify({ database: 'db', sql_query: 'SELECT 1' })]]);
  const stream = client.makeServerStreamRequest(
    '/arrow.flight.protocol.FlightService/DoGet',
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer) => bytes,
    ticket,
    new Metadata(),
  );
  let messages = 0;
  stream.on('data', () => messages++);
  stream.on('error', () => undefined);
  const code = await new Promise<number>((resolve) => stream.on('status', (status: { readonly code: number }) => resolve(status.code)));
  assert.deepEqual([code, messages], [0, 1]);
});
