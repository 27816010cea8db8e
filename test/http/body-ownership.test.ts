import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { WriteRequest, WriteService } from '../../src/write/write-service.ts';
import { Random } from '../fuzz/random.ts';
import { testServer } from './fakes.ts';

const CLIENTS = 8;
const WRITES_PER_CLIENT = 40;
const SIZES = [30, 900, 70_000, 250_000, 1_100_000];
const WAYS = ['plain', 'plain', 'chunked', 'gzip', 'cut'] as const;

/** The body of a write: all of it can be computed from what its first words say. */
function bodyOf(client: number, number: number, size: number): Buffer {
  return Buffer.from(`${client} ${number} ${size} `.padEnd(20).repeat(Math.ceil(size / 20))).subarray(0, size);
}

/** Holds each write for some turns of the event loop, and looks at its body before and after that. */
class HoldingWriteService implements WriteService {
  readonly problems: string[] = [];
  stored = 0;
  readonly #random = new Random(7);

  async write({ body }: WriteRequest): Promise<{ acceptedLines: number; acceptedBytes: number; lineErrors: [] }> {
    const [client, number, size] = Buffer.from(body.subarray(0, 20)).toString().trim().split(/ +/).map(Number);
    const expected = bodyOf(client ?? -1, number ?? -1, size ?? -1);
    if (!expected.equals(body)) this.problems.push(`write ${number} of client ${client} came changed`);
    for (let turns = this.#random.below(40); turns > 0; turns--) await turn();
    if (!expected.equals(body)) this.problems.push(`write ${number} of client ${client} changed while it was held`);
    this.stored++;
    return { acceptedLines: 1, acceptedBytes: body.length, lineErrors: [] };
  }
}

/** Sends one body; resolves with its status, or undefined if the client left in the middle of it. */
async function send(port: number, agent: Agent, body: Buffer, way: (typeof WAYS)[number]): Promise<number | undefined> {
  const sent = way === 'gzip' ? gzipSync(body, { level: 1 }) : body;
  const headers = {
    ...(way === 'chunked' ? {} : { 'content-length': sent.length }),
    ...(way === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
  const outgoing = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/write?db=d', headers });
  if (way === 'cut') {
    outgoing.on('error', () => undefined); // its own doing
    outgoing.write(sent.subarray(0, sent.length - 1));
    await turn();
    outgoing.destroy();
    return undefined;
  }
  const half = sent.length >> 1;
  outgoing.write(sent.subarray(0, half));
  outgoing.end(sent.subarray(half));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

test('a body stays as it came until its write is settled, whatever arrives, ends and is cut beside it', async (t) => {
  const writes = new HoldingWriteService();
  const { server } = await testServer({ writeService: writes, maxBodyBytes: 2_000_000 });
  const { port } = await server.listen('127.0.0.1', 0);
  t.after(() => server.close());
  const client = async (id: number): Promise<number> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    t.after(() => agent.destroy());
    const random = new Random(id);
    let acknowledged = 0;
    const writer = async (first: number): Promise<void> => {
      for (let number = first; number < WRITES_PER_CLIENT; number += 2) {
        const status = await send(port, agent, bodyOf(id, number, random.pick(SIZES)), random.pick(WAYS));
        if (status !== undefined) assert.equal(status, 204);
        if (status !== undefined) acknowledged++;
      }
    };
    await Promise.all([writer(0), writer(1)]);
    return acknowledged;
  };
  const acknowledged = await Promise.all(Array.from({ length: CLIENTS }, (_, id) => client(id)));
  assert.deepEqual(writes.problems, []);
  assert.equal(
    writes.stored,
    acknowledged.reduce((sum, count) => sum + count, 0),
  );
});
