/**
 * A million rows from a server over Arrow Flight, as CSV and as JSON lines: rows a second, and the server's processor time a
 * row; then the time until the first rows of a short query. The client reads bytes and does not look at them.
 * Run: `node .build/all/test/bench/flight.js [rows] [rounds]`.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { BIN } from '../support/server.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);

const directory = mkdtempSync(join(tmpdir(), 'results-flight-bench-'));
const listener = join(directory, 'listener');
const args = [
  'serve',
  '--node-id',
  'bench',
  '--data-dir',
  directory,
  '--http-bind',
  '127.0.0.1:0',
  '--without-auth',
  '--disable-telemetry-upload',
];
const server = spawn(process.execPath, [BIN, ...args, '--tcp-listener-file-path', listener], { stdio: 'ignore' });
while (!existsSync(listener) || readFileSync(listener, 'utf8') === '') await delay(50);
const url = `http://${readFileSync(listener, 'utf8').trim()}`;

/** Processor time of the server so far, seconds. */
function serverSecs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Memory of the server, MB. */
function serverMb(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

const session = connect(url);
// grpc clients open their windows too
session.once('connect', () => session.setLocalWindowSize(16 * 1024 * 1024));

interface Read {
  readonly bytes: number;
  readonly firstMs: number;
}

function read(headers: Readonly<Record<string, string>>, body: Buffer, onData?: () => Promise<void>): Promise<Read> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ...headers });
    let bytes = 0;
    let firstMs = 0;
    stream.on('data', (chunk: Buffer) => {
      if (bytes === 0) firstMs = performance.now() - started;
      bytes += chunk.length;
      if (onData !== undefined) {
        stream.pause();
        void onData().then(() => stream.resume());
      }
    });
    stream.on('end', () => resolve({ bytes, firstMs }));
    stream.on('error', reject);
    stream.end(body);
  });
}

function flight(query: string, onData?: () => Promise<void>): Promise<Read> {
  const ticket = writeMessage([[1, JSON.stringify({ database: 'bench', sql_query: query })]]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(ticket.length, 1);
  const headers = { ':path': '/arrow.flight.protocol.FlightService/DoGet', 'content-type': 'application/grpc', te: 'trailers' };
  return read(headers, Buffer.concat([head, ticket]), onData);
}

function http(query: string, format: string): Promise<Read> {
  return read(
    { ':path': '/api/v3/query_sql', 'content-type': 'application/json' },
    Buffer.from(JSON.stringify({ db: 'bench', q: query, format })),
  );
}

async function write(lines: readonly string[]): Promise<void> {
  const response = await fetch(`${url}/api/v3/write_lp?db=bench`, { method: 'POST', body: lines.join('\n') });
  if (response.status !== 204) throw new Error(await response.text());
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

const start = 1_700_000_000_000_000_000n;
for (let from = 0; from < rows; from += 5000) {
  const part = Array.from({ length: Math.min(5000, rows - from) }, (_, i) => from + i);
  await write(part.map((i) => `narrow,host=host_${i % 1000} v=${(i % 10_007) / 100} ${start + BigInt(i) * 10_000_000n}`));
  const fields = (i: number): string => Array.from({ length: 10 }, (_, f) => `usage_${f}=${(i * (f + 7)) % 100}i`).join(',');
  const tags = (i: number): string => Array.from({ length: 9 }, (_, k) => `tag${k}=value-${(i * (k + 3)) % 11}`).join(',');
  await write(part.map((i) => `cpu,hostname=host_${i % 100},${tags(i % 100)} ${fields(i)} ${start + BigInt(i) * 10_000_000n}`));
}

for (const table of ['narrow', 'cpu']) {
  for (const format of ['csv', 'jsonl', 'flight'] as const) {
    let best: { readonly rate: number; readonly cpu: number } | undefined;
    for (let round = 0; round < rounds; round++) {
      const [cpu, began] = [serverSecs(), performance.now()];
      await (format === 'flight' ? flight(`SELECT * FROM ${table}`) : http(`SELECT * FROM ${table}`, format));
      const rate = rows / ((performance.now() - began) / 1000);
      const used = ((serverSecs() - cpu) * 1e9) / rows;
      if (best === undefined || used < best.cpu) best = { rate: Math.max(rate, best?.rate ?? 0), cpu: used };
    }
    console.log(
      `${table} ${format}: ${Math.round(best?.rate ?? 0)} rows/s, ${Math.round(best?.cpu ?? 0)} ns of the server's processor time a row`,
    );
  }
}

const short = "SELECT host, max(v) FROM narrow WHERE time < '2023-11-14T22:14:20Z' GROUP BY host";
for (const way of ['json', 'flight'] as const) {
  const times: number[] = [];
  for (let i = 0; i < 100; i++) times.push((await (way === 'json' ? http(short, 'json') : flight(short))).firstMs);
  console.log(`short query over ${way}: first bytes after ${median(times).toFixed(2)} ms (median of 100)`);
}

const before = serverMb();
let peak = before;
const slow = 'SELECT a.value * 1.5 AS v, a.value AS i FROM generate_series(1, 10000000) AS a';
let chunks = 0;
await flight(slow, async () => {
  if (++chunks % 50 === 0) {
    peak = Math.max(peak, serverMb());
    await delay(5);
  }
});
console.log(`ten million rows to a slow reader: server memory ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`);
session.close();
server.kill();
await new Promise((resolve) => server.once('exit', resolve));
rmSync(directory, { recursive: true, force: true });
