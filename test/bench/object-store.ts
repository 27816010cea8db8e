/**
 * What a bucket costs beside a directory: a start with 50,000 live files, a lone write after a pause, queries over cached files, and memory and disk of
 * a node whose bucket is ten times its cache. The bucket is the tests' fake of S3 in this process, each answer some milliseconds late; both stores in turn.
 * Run: `npm run bench -- object-store [--latency-ms N] [--rounds N] [--files N]`. Recorded in docs/object-stores.md, "What it costs".
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readCatalog } from '../../src/catalog/index.ts';
import { copyNode, directoryPlace } from '../../src/node-data/index.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { DirectoryObjectStore, nodeFileSystem } from '../../src/storage/index.ts';
import { encodeFileIndex, INDEX_KEY, type LiveFile, loadIndex } from '../../src/write/file-index/index.ts';
import { RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeS3 } from '../support/fake-s3.ts';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

const { values } = parseArgs({
  options: {
    'latency-ms': { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    files: { type: 'string', default: '50000' },
  },
});
const latencyMs = Number(values['latency-ms']);
const rounds = Number(values.rounds);
const fileCount = Number(values.files);

/** Of different days: files of one day are merged. */
const HOURS = 24;
const ROWS_AN_HOUR = 20_000;
const DAY_SECS = 86_400;
const FIRST_SECOND = 1_700_006_400;

const cleanups: (() => Promise<void>)[] = [];
const ends = { after: (end: () => Promise<void>): void => void cleanups.unshift(end) };

try {
  await starts();
  await writesAndQueries();
} finally {
  for (const end of cleanups) await end();
}

/** Both stores with the same index of files that no query reads. */
async function starts(): Promise<void> {
  const fake = await FakeS3.start(ends);
  const directory = await testDirectory(ends);
  const first = await startServer(ends, directory);
  await first.writeOk('db', 'm v=1 1');
  await first.kill('SIGTERM');
  const root = join(directory, 'test');
  const objects = new DirectoryObjectStore(nodeFileSystem, root);
  const uuid = (await readCatalog(objects))?.uuid ?? '';
  const { index, state } = await loadIndex({ objects, uuid, log: silentLogger });
  await objects.prepare('files/');
  const files = Array.from({ length: fileCount }, (_, i) => liveFile(i));
  await objects.put(INDEX_KEY, encodeFileIndex({ sequence: index.sequence + 1, files, deletes: [], state }, uuid), 'overwrite');
  await copyTo(fake, directory, files);
  for (const { path } of files) fake.objects.set(path, Buffer.from('x'));
  fake.latencyMs = latencyMs;
  const times: Record<string, number[]> = { bucket: [], directory: [] };
  const caches = await testDirectory(ends);
  for (let round = 0; round < rounds; round++) {
    const requests = requestsOf(fake);
    times['bucket']?.push(await startTime(() => startBucketServer(ends, fake.args, { cacheDir: caches })));
    if (round === 0) say(`requests of a start with ${fileCount} live files: ${requestsOf(fake) - requests}`);
    times['directory']?.push(await startTime(() => startServer(ends, directory)));
  }
  report(`start with ${fileCount} live files, from the spawn to the open port, ${latencyMs} ms a request`, times);
}

async function startTime(start: () => Promise<TestServer>): Promise<number> {
  const from = performance.now();
  const server = await start();
  const took = performance.now() - from;
  await server.kill('SIGTERM');
  return took;
}

function liveFile(i: number): LiveFile {
  const chunk = BigInt(FIRST_SECOND) * 1_000_000_000n + BigInt(i) * 600_000_000_000n;
  const path = `test/dbs/1/0/2023-11-15/00-00/${String(i).padStart(10, '0')}.parquet`;
  const times = { chunkTimeNs: chunk, minTimeNs: chunk, maxTimeNs: chunk + 1n };
  return { databaseId: 1, tableId: 0, id: i, path, sizeBytes: 1, rowCount: 1, ...times, mayOverlap: false, snapshotSequence: 1, crc32: 1 };
}

async function writesAndQueries(): Promise<void> {
  const fake = await FakeS3.start(ends);
  const directory = await testDirectory(ends);
  const filling = await startServer(ends, directory, { args: RESTLESS });
  for (let hour = 0; hour < HOURS; hour++) await filling.writeOk('db', hourOf(hour));
  await until(async () => {
    await filling.writeOk('db', 'filler v=1');
    const [row] = await filling.rows('db', "SELECT sum(row_count) AS n FROM system.parquet_files WHERE table_name = 'm'");
    return Number(row?.['n']) === HOURS * ROWS_AN_HOUR;
  });
  await filling.kill('SIGTERM');
  await copyTo(fake, directory, []);
  fake.latencyMs = latencyMs;
  const total = [...fake.objects].filter(([key]) => key.endsWith('.parquet')).reduce((sum, [, bytes]) => sum + bytes.length, 0);
  const noColumns = ['--disable-parquet-mem-cache'];
  const local = await startServer(ends, directory, { args: noColumns });
  const remote = await startBucketServer(ends, fake.args, { args: noColumns });
  await loneWrites(fake, local, remote);
  await queries(local, remote);
  await remote.kill('SIGTERM');
  await smallCache(fake, total);
}

async function loneWrites(fake: FakeS3, local: TestServer, remote: TestServer): Promise<void> {
  const times: Record<string, number[]> = { 'one PUT': [], 'write to a bucket': [], 'write to a directory': [] };
  for (let i = 0; i < rounds * 6; i++) {
    await delay(1_300); // longer than --wal-flush-interval
    times['write to a bucket']?.push(await timeOf(() => remote.writeOk('db', `lone v=${i}`)));
    times['write to a directory']?.push(await timeOf(() => local.writeOk('db', `lone v=${i}`)));
    times['one PUT']?.push(
      await timeOf(async () => {
        const put = await fetch(`${fake.url}/bucket/other/${i}`, {
          method: 'PUT',
          body: 'x'.repeat(200),
          headers: { 'if-none-match': '*' },
        });
        await put.arrayBuffer();
      }),
    );
  }
  report('lone write after a pause', times);
}

async function queries(local: TestServer, remote: TestServer): Promise<void> {
  const statements = [
    "SELECT date_bin(INTERVAL '1 hour', time) AS t, k, avg(v), max(v * 2) FROM m GROUP BY t, k ORDER BY t, k",
    hourQuery(7),
    'SELECT count(DISTINCT v) AS n FROM m',
  ];
  for (const q of statements) {
    const times: Record<string, number[]> = { bucket: [], directory: [] };
    await remote.rows('db', q);
    await local.rows('db', q);
    for (let i = 0; i < rounds * 6; i++) {
      times['bucket']?.push(await timeOf(() => remote.rows('db', q)));
      times['directory']?.push(await timeOf(() => local.rows('db', q)));
    }
    report(`cached files: ${q}`, times);
  }
}

/** All hours one after the other, three times. */
async function smallCache(fake: FakeS3, total: number): Promise<void> {
  const cacheDir = await testDirectory(ends);
  const limit = Math.ceil(total / 10);
  const args = ['--disable-parquet-mem-cache', '--file-cache-disk-size', `${limit}b`];
  const server = await startBucketServer(ends, fake.args, { args, cacheDir });
  const idleMb = residentMb(server);
  let mostMb = 0;
  let mostBytes = 0;
  const times: Record<string, number[]> = { 'a query of one hour': [] };
  for (let round = 0; round < 3; round++) {
    for (let hour = 0; hour < HOURS; hour++) {
      times['a query of one hour']?.push(await timeOf(() => server.rows('db', hourQuery(hour))));
      mostMb = Math.max(mostMb, residentMb(server));
      mostBytes = Math.max(mostBytes, bytesBelow(join(cacheDir, 'cache')));
    }
  }
  const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  say(
    `bucket ${mb(total)} MiB, cache limit ${mb(limit)} MiB: most on disk ${mb(mostBytes)} MiB; resident ${idleMb} MiB before, ${mostMb} MiB at most`,
  );
  report('bucket of ten times the cache', times);
}

function hourOf(hour: number): string {
  const line = (i: number): string =>
    `m,k=k${i % 20} v=${Math.sin(i * 7 + hour)},w=${Math.cos(i * 3 + hour)} ${FIRST_SECOND + hour * DAY_SECS + Math.floor((i * 3600) / ROWS_AN_HOUR)}${String(i % 1_000_000_000).padStart(9, '0')}`;
  return Array.from({ length: ROWS_AN_HOUR }, (_, i) => line(i)).join('\n');
}

function hourQuery(hour: number): string {
  const from = FIRST_SECOND + hour * DAY_SECS;
  return `SELECT k, count(*) AS n, sum(v * w) AS s FROM m WHERE time >= ${from}::TIMESTAMP AND time < ${from + 3600}::TIMESTAMP GROUP BY k ORDER BY k`;
}

/** The directory's data as a bucket; files that are only in its index are left out. */
async function copyTo(fake: FakeS3, directory: string, without: readonly LiveFile[]): Promise<void> {
  const stub = await testDirectory(ends);
  if (without.length === 0) await copyNode(directoryPlace('test', directory), directoryPlace('test', stub));
  const root = without.length === 0 ? stub : directory;
  for (const entry of readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const path = join(entry.parentPath, entry.name);
    fake.objects.set(path.slice(root.length + 1), readFileSync(path));
  }
}

function requestsOf(fake: FakeS3): number {
  return [...fake.counts.values()].reduce((sum, count) => sum + count, 0);
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

function residentMb(server: TestServer): number {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function bytesBelow(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function report(what: string, times: Readonly<Record<string, readonly number[]>>): void {
  say(`${what} (load ${loadavg()[0]?.toFixed(1)})`);
  for (const [name, each] of Object.entries(times)) {
    const sorted = [...each].sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
    say(`  ${name}: least ${at(0)} ms, median ${at(0.5)} ms, most ${at(1)} ms of ${sorted.length}`);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
