// Runs alone: moves the clock of its process.
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test } from 'node:test';
import type { ResultBatch } from '../../../../src/query/result.ts';
import { messageHead } from '../../../../src/server/flight/grpc/frames.ts';
import { writeMessage } from '../../../../src/server/flight/protobuf/wire.ts';
import { deferred } from '../../../support/deferred.ts';
import { flightService } from '../../../support/flight-service.ts';

const ROWS = 8192;
const BATCHES = 20;

function batchOf(first: number): ResultBatch {
  const data = BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(first + i));
  return { rowCount: ROWS, columns: [{ kind: 'int64', data, valid: undefined }] };
}

test('a reader that takes its time gets every row unchanged and the status, long after the query ended', async (t) => {
  const { queries, url } = await flightService(t, { keepAliveMs: 60_000 });
  const made = deferred();
  queries.answer = () => ({
    columns: [{ name: 'n', type: { kind: 'int64' } }],
    async *batches() {
      for (let i = 0; i < BATCHES; i++) yield batchOf(i * ROWS);
      made.resolve();
    },
    cancel: () => undefined,
  });
  const session = connect(url);
  t.after(() => session.close());
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/arrow.flight.protocol.FlightService/DoGet',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const ticket = writeMessage([[1, JSON.stringify({ database: 'db', sql_query: 'SELECT n FROM m' })]]);
  stream.end(Buffer.concat([messageHead(ticket.length), ticket]));
  // nothing is read yet: all that the server may hold back waits in it, the rest in what the windows let through
  await made.promise;
  await new Promise(setImmediate);
  t.mock.timers.tick(3_600_000);
  const chunks: Buffer[] = [];
  let status: unknown;
  stream.on('trailers', (trailers) => {
    status = trailers['grpc-status'];
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once('close', resolve));
  assert.equal(status, '0');
  assert.deepEqual(
    values(Buffer.concat(chunks)),
    Array.from({ length: ROWS * BATCHES }, (_, i) => i),
  );
});

/** The integers of the one column: the last bytes of each message but the first. */
function values(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0, message = 0; at < bytes.length; message++) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (message > 0) for (let value = end - ROWS * 8; value < end; value += 8) found.push(bytes.readUInt32LE(value));
    at = end;
  }
  return found;
}
