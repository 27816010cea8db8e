import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { Random } from './random.ts';
import { type FuzzRequest, randomRequest } from './random-request.ts';

/** How long the run lasts; `FUZZ_SECONDS` makes it longer, `FUZZ_SEED` repeats one. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 15);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
const CONNECTIONS = 6;
/** Rows for random queries; written again and again, because random requests delete their table and database too. */
const BASE = 'm,tag=a f=1.5,i=1i,u=1u,s="x",b=true 1\nm,tag=b f=-0.5,i=-1i,s="" 2';
/** No answer may take longer, also on a machine that is busy with other tests. */
const ANSWER_MS_MAX = 120_000;

/** Status 500 that InfluxDB 3 Core gives to a client's request. */
const ALLOWED_500 = [
  /^cannot (modify|delete) internal db$/,
  /^missing admin token, cannot update$/,
  /^Plugin error: Node not configured with plugin directory$/,
  /^Processing engine error: plugin error: No plugin directory configured$/,
  /^Processing engine error: error installing python packages: /,
  /^Arrow error: /,
  /^Execution error: /,
  /^External error: /,
  /^Resources exhausted: /,
  /^query error: the query ran longer than the server allows$/, // it has 5 s, on a machine that may do much else
  /^Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: /,
];
/** What no client may ever see. */
const LEAKS =
  /\bduckdb\b|INTERNAL Error|Binder Error|Catalog Error|Parser Error|\bat .*\.(js|ts):\d+|TypeError|RangeError: |undefined is not|Cannot read prop/i;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

function send(server: TestServer, agent: Agent, wanted: FuzzRequest): Promise<Answer> {
  const { hostname, port } = new URL(server.url);
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = wanted;
    const outgoing = request(
      { host: hostname, port, method, path, agent, headers: { ...headers, 'content-length': body.length } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString(), ms: performance.now() - started }),
        );
      },
    );
    outgoing.setTimeout(ANSWER_MS_MAX, () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What is wrong with an answer, or undefined. */
function complaint({ status, text, ms }: Answer): string | undefined {
  if (ms > ANSWER_MS_MAX) return `answered after ${Math.round(ms)} ms`;
  if (status >= 500 && !ALLOWED_500.some((allowed) => allowed.test(text))) return 'status of a server failure';
  if (status >= 400 && LEAKS.test(text)) return 'shows the inside';
  return undefined;
}

/** Bytes that are no HTTP at all; the connection may end as it likes. */
function sendGarbage(server: TestServer, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(server.url);
  return new Promise((done) => {
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.on('error', () => {});
    socket.on('close', () => done());
    socket.resume();
  });
}

test('any request gets an answer that is not our failure, and what was stored stays', { timeout: (SECONDS + 60) * 1000 }, async (t) => {
  t.diagnostic(`FUZZ_SEED=${SEED}`);
  const server = await startServer(t, await testDirectory(t), { args: ['--query-timeout', '5s'] });
  await server.writeOk('keep', Array.from({ length: 100 }, (_, i) => `m,tag=t${i % 5} f=${i}.5,i=${i}i ${i}`).join('\n'), '&precision=ns');
  const refill = (): Promise<Response> => server.write('db', BASE, '&precision=ns');
  await refill();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  t.after(() => agent.destroy());
  const end = performance.now() + SECONDS * 1000;
  const statuses = new Map<number, number>();
  const failures = new Map<string, string>();
  const client = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    while (performance.now() < end && failures.size < 20) {
      if (random.chance(0.01)) await sendGarbage(server, random.bytes(300));
      if (random.chance(0.03)) await (await refill()).arrayBuffer();
      const wanted = randomRequest(random);
      const answer = await send(server, agent, wanted).catch((error: Error) => ({ status: 599, text: error.message, ms: 0 }));
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const wrong = complaint(answer);
      if (wrong !== undefined) failures.set(`${wrong}: ${answer.status} ${answer.text.slice(0, 200)}`, describe(wanted));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => client(SEED + i)));
  t.diagnostic(`answers: ${JSON.stringify(Object.fromEntries([...statuses].sort(([a], [b]) => a - b)))}`);
  assert.equal(server.child.exitCode, null, server.output.slice(-3000));
  assert.deepEqual(
    [...failures].map(([what, wanted]) => `${what}\n    ${wanted}`),
    [],
    `FUZZ_SEED=${SEED}`,
  );
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
  assert.deepEqual(await server.rows('keep', 'SELECT count(*) AS n, sum(i) AS total, count(DISTINCT tag) AS tags FROM m'), [
    { n: 100, total: 4950, tags: 5 },
  ]);
  assert.equal(await server.kill('SIGTERM'), 0, server.output.slice(-3000));
});

function describe({ method, path, headers, body }: FuzzRequest): string {
  return `${method} ${decodeURIComponent(path.replaceAll(/%(?![0-9a-f]{2})|%ff|%zz/gi, '?'))} ${JSON.stringify(headers)} ${body.toString().slice(0, 600)}`;
}
