import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type TestContext, test } from 'node:test';
import { type ByteStream, cutAt, describeStream, largeStream, randomStream } from './byte-streams/stream.ts';
import { type Outcome, type StreamTarget, shownBody, streamTarget } from './byte-streams/target.ts';
import { Random } from './random.ts';

/** How many random streams are sent; `FUZZ_STREAMS` makes it more, `FUZZ_SEED` repeats a run. */
const STREAMS = Number(process.env['FUZZ_STREAMS'] ?? 1000);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);

/** Failures that are shown before a run gives up. */
const FAILURES_MAX = 10;

interface Pair {
  /** Notes a stream that is not taken by the raw lane as `node:http` takes it, or not as `expected`. */
  compare(stream: ByteStream, expected?: Partial<Outcome>): Promise<void>;
  /** Compares what both have counted; throws all differences seen before. */
  finish(): Promise<void>;
}

async function pair(t: TestContext, note = '', maxBodyBytes = 150): Promise<Pair> {
  const targets: readonly StreamTarget[] = [await streamTarget(t, true, maxBodyBytes), await streamTarget(t, false, maxBodyBytes)];
  const failures: string[] = [];
  return {
    compare: async (stream, expected = {}) => {
      const [raw, node] = await Promise.all(targets.map((target) => target.send(stream)));
      try {
        assert.deepEqual(raw, node);
        assert.deepEqual(raw, { ...raw, ...expected });
      } catch (error) {
        failures.push(`${describeStream(stream)}\n${(error as Error).message}`);
        if (failures.length >= FAILURES_MAX) assert.fail(`${note}\n${failures.join('\n\n')}`);
      }
    },
    finish: async () => {
      assert.equal(failures.length, 0, `${note}\n${failures.join('\n\n')}`);
      const [raw, node] = await Promise.all(targets.map((target) => target.metrics()));
      const [rawLines = [], nodeLines = []] = [raw?.split('\n'), node?.split('\n')];
      assert.deepEqual(
        rawLines.filter((line) => !nodeLines.includes(line)),
        nodeLines.filter((line) => !rawLines.includes(line)),
        note,
      );
    },
  };
}

/** Counts the requests that `node:http` reads during the test. */
function requestsOfNode(t: TestContext): () => number {
  let count = 0;
  const onRequest = (): void => void count++;
  subscribe('http.server.request.start', onRequest);
  t.after(() => unsubscribe('http.server.request.start', onRequest));
  return () => count;
}

const HEAD = 'POST /write?db=d HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nContent-Length: 5\r\nX-A: b\r\n\r\n';
const WRITE = Buffer.from(`${HEAD}m f=1`);
const quick = { ending: 'open', answerTurns: 0, slow: true } as const;

test('a write that is cut after any byte, and ended, reset or continued', async (t) => {
  const { compare, finish } = await pair(t);
  for (let cut = 0; cut <= WRITE.length; cut++) {
    const first = WRITE.subarray(0, cut);
    for (const ending of ['fin', 'reset', 'open'] as const)
      await compare({ ...quick, pieces: [first].filter((b) => b.length > 0), ending });
    await compare({ ...quick, pieces: cutAt(WRITE, [cut]) });
    for (const answerTurns of [0, 20]) await compare({ pieces: [WRITE, first], ending: 'fin', answerTurns, slow: false });
  }
  await finish();
});

/** Of the places and bytes a run takes one in so many, another share with each seed; `FUZZ_PART=1` takes all. */
const PART = Number(process.env['FUZZ_PART'] ?? 3);

const SPECIAL_BYTES = [0, 9, 10, 13, 32, 34, 44, 47, 48, 58, 59, 64, 92, 95, 126, 127, 128, 160, 255];

test('a write with any byte of its head replaced or followed by a special one', async (t) => {
  const note = `FUZZ_SEED=${SEED}`;
  const { compare, finish } = await pair(t, note);
  for (let at = 0; at < HEAD.length; at++) {
    for (const [index, byte] of SPECIAL_BYTES.entries()) {
      if ((at + index + SEED) % PART !== 0) continue;
      const special = Buffer.from([byte]);
      for (const rest of byte <= 32 ? [WRITE.subarray(at), WRITE.subarray(at + 1)] : [WRITE.subarray(at + 1)]) {
        await compare({ ...quick, pieces: [Buffer.concat([WRITE.subarray(0, at), special, rest, WRITE])] });
      }
    }
  }
  await finish();
});

test('random streams are split, answered, stored and counted as by node:http', async (t) => {
  const note = `FUZZ_SEED=${SEED}`;
  t.diagnostic(note);
  const readByNode = requestsOfNode(t);
  const { compare, finish } = await pair(t, note);
  const random = new Random(SEED);
  let bothRead = 0;
  for (let i = 0; i < STREAMS; i++) {
    const before = readByNode();
    await compare(randomStream(random));
    bothRead += readByNode() - before;
  }
  t.diagnostic(`${STREAMS} streams, node:http read ${bothRead} requests`);
  await finish();
});

test('large writes, sent before those before them are answered, are stored in their order and whole', async (t) => {
  const note = `FUZZ_SEED=${SEED}`;
  t.diagnostic(note);
  const { compare, finish } = await pair(t, note, 1_000_000);
  const random = new Random(SEED);
  for (let i = 0; i < STREAMS / 10; i++) {
    const { stream, bodies } = largeStream(random);
    await compare(stream, { stored: bodies.map((body) => `d nanosecond ${shownBody(body)}`) });
  }
  await finish();
});
