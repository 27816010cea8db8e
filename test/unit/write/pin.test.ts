// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStore } from '../../../src/storage/index.ts';
import type { PinnedFile, PinnedMoment } from '../../../src/write/index.ts';
import { failingTable } from '../../support/failing-tables.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { until } from '../../support/until.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const START = 1_728_000_000_000_000_000n;
const STEP_NS = 7n * 60n * 1_000_000_000n;
const ROWS = 6;
const WRITERS = 3;

/** Files of few records, snapshots all the time, and merges as soon as a day is over. */
const BUSY = {
  wal: { flushIntervalMs: 1, filesPerSnapshot: 5, maxBufferedWrites: 100_000, snapshottedFilesToKeep: 0, replayFailOnError: true },
  maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 },
  retryPauseMs: 1,
};

/** One request of a writer, and perhaps the delete of all its rows. Numbers are the order of events. */
interface Request {
  readonly id: number;
  readonly sentAt: number;
  answeredAt: number;
  deleteSentAt: number;
  deletedAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** What a moment must have: everything answered before `askedAt`, nothing sent after `hadAt`. */
interface Taken {
  readonly moment: PinnedMoment;
  readonly askedAt: number;
  readonly hadAt: number;
}

class History {
  readonly requests: Request[] = [];
  #events = 0;
  #stopped = false;
  readonly #store: TestWriteStore;

  constructor(store: TestWriteStore) {
    this.#store = store;
  }

  event(): number {
    return ++this.#events;
  }

  async pin(): Promise<Taken> {
    const askedAt = this.event();
    const moment = await this.#store.writes.pin();
    return { moment, askedAt, hadAt: this.event() };
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Writes requests, one after the other; every fifth is deleted again. */
  async writer(): Promise<void> {
    while (!this.#stopped) {
      const id = this.requests.length;
      const request: Request = { id, sentAt: this.event(), answeredAt: NEVER, deleteSentAt: NEVER, deletedAt: NEVER };
      this.requests.push(request);
      await this.#store.write('db', linesOf(id));
      request.answeredAt = this.event();
      if (id % 5 !== 0) continue;
      request.deleteSentAt = this.event();
      const all = { startNs: 0n, stopNs: 2n ** 63n - 1n, table: tableOf(id) };
      await this.#store.writes.deleteRows('db', { ...all, tags: [['request', String(id)]] });
      request.deletedAt = this.event();
    }
  }

  /** Moves rows from the log to files, and files into others. */
  async mover(): Promise<void> {
    while (!this.#stopped) {
      await this.#store.writes.snapshotNow();
      await this.#store.writes.maintainNow();
    }
  }

  async reaches(count: number): Promise<void> {
    await until(() => this.requests.length >= count);
  }
}

function tableOf(id: number): string {
  return `t${id % 3}_${Math.floor(id / 40)}`; // new ones come all the time
}

function linesOf(id: number): string {
  const time = (row: number): bigint => START + BigInt(id * ROWS + row) * STEP_NS;
  return Array.from({ length: ROWS }, (_, row) => `${tableOf(id)},request=${id} row=${row}i,value=${id * 100 + row}i ${time(row)}`).join(
    '\n',
  );
}

/** A directory with what a moment holds, opened as a start after a crash would. */
async function restored(t: TestContext, { files, objects }: PinnedMoment): Promise<TestWriteStore> {
  const directory = await temporaryDirectory(t);
  const to = (path: string): string => join(directory, 'n1', path);
  for (const { path, source, sizeBytes } of files) {
    await mkdir(dirname(to(path)), { recursive: true });
    if (typeof source === 'string') await cp(source, to(path));
    else await writeFile(to(path), await source.get(path));
    assert.equal((await stat(to(path))).size, sizeBytes, path);
  }
  for (const [path, bytes] of objects) {
    await mkdir(dirname(to(path)), { recursive: true });
    await writeFile(to(path), bytes);
  }
  return TestWriteStore.open(directory, { wal: { ...BUSY.wal, flushIntervalMs: 1_000_000 } });
}

async function check(store: TestWriteStore, requests: readonly Request[], { askedAt, hadAt }: Taken): Promise<number> {
  assert.deepEqual([store.writes.lostRows, store.writes.lostInfos], [[], []]);
  const found = new Map<number, string[]>();
  let rows = 0;
  for (const name of new Set(requests.map(({ id }) => tableOf(id)))) {
    for (const row of await store.rows('db', name)) {
      const id = Number(row.tags['request']);
      found.set(id, [
        ...(found.get(id) ?? []),
        `${name},request=${id} row=${row.fields['row']}i,value=${row.fields['value']}i ${row.timeNs}`,
      ]);
      rows++;
    }
  }
  for (const { answeredAt, deletedAt, deleteSentAt, id, sentAt } of requests) {
    const lines = (found.get(id) ?? []).sort();
    const whole = linesOf(id).split('\n').sort();
    const label = `request ${id}`;
    for (const line of lines) assert.ok(whole.includes(line), `${label} has a row that nobody wrote: ${line}`);
    assert.equal(new Set(lines).size, lines.length, `${label} has a row twice`);
    if (sentAt > hadAt) assert.deepEqual(lines, [], `${label} came later`);
    else if (deletedAt < askedAt) assert.deepEqual(lines, [], `${label} was deleted`);
    else if (deleteSentAt > hadAt && answeredAt < askedAt) assert.deepEqual(lines, whole, `${label} was acknowledged`);
    else if (deleteSentAt > hadAt) assert.ok(lines.length === 0 || lines.length === ROWS, `${label} is there in part`);
    found.delete(id);
  }
  assert.deepEqual([...found.keys()], [], 'requests that nobody sent');
  return rows;
}

async function isThere({ path, source }: PinnedFile): Promise<boolean> {
  if (typeof source === 'string') return existsSync(source);
  return source.head(path).then(
    () => true,
    () => false,
  );
}

async function parquetFiles(store: TestWriteStore, bucket: MemoryObjectStore | undefined): Promise<string[]> {
  if (bucket !== undefined) {
    const keys: string[] = [];
    for await (const key of bucket.list('dbs/')) keys.push(key);
    return keys;
  }
  const names = await readdir(join(store.directory, 'n1', 'dbs'), { recursive: true });
  return names.filter((name) => name.endsWith('.parquet'));
}

async function pinnedMoments(t: TestContext, bucket: MemoryObjectStore | undefined): Promise<void> {
  const store = await TestWriteStore.open(await temporaryDirectory(t), BUSY, undefined, undefined, bucket);
  const history = new History(store);
  const running = [...Array.from({ length: WRITERS }, () => history.writer()), history.mover()];
  const taken: Taken[] = [];
  for (const count of [1, 30, 60, 61, 100]) {
    await history.reaches(count);
    taken.push(await history.pin());
  }
  await history.reaches(140);
  history.stop();
  await Promise.all(running);
  for (const { id } of history.requests.filter((request) => request.id % 7 === 0)) {
    await store.writes.deleteRows('db', { startNs: 0n, stopNs: 2n ** 63n - 1n, table: tableOf(id), tags: [['request', String(id)]] });
  }
  await store.catalog.softDeleteTable('db', tableOf(30), { kind: 'now' });
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  let log = 0;
  for (const each of taken) {
    log += each.moment.files.filter(({ path }) => path.startsWith('wal/')).length;
    const copy = await restored(t, each.moment);
    const rows = await check(copy, history.requests, each);
    t.diagnostic(`${each.moment.files.length} files, ${rows} rows at event ${each.hadAt}`);
    // The copy is a store like any other: it goes on.
    if (each === taken.at(-1)) {
      await copy.write('db', 'later v=1i 1');
      await copy.writes.snapshotNow();
      await copy.writes.maintainNow();
      await check(copy, history.requests, each);
    }
    await copy.stop();
    assert.equal(each.moment.signal.aborted, false);
  }
  assert.ok(log > 0, 'no moment had rows in the log');
  const held = taken.flatMap(({ moment }) => moment.files);
  for (const file of held) assert.ok(await isThere(file), file.path);
  for (const { moment } of taken) {
    moment.release();
    moment.release();
  }
  await store.write('db', 'm v=1i 1');
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  await until(async () => (await parquetFiles(store, bucket)).length === store.writes.parquetTotals.fileCount);
  await until(async () => {
    const kept = await Promise.all(held.filter(({ path }) => path.endsWith('.wal')).map(isThere));
    return !kept.includes(true); // log files that nobody needs
  });
  await store.stop();
}

test('pinned moments can be read back whole, whatever writes, snapshots, merges and deletes did since', (t) => pinnedMoments(t, undefined));

test('so can those of a bucket, in a directory', (t) => pinnedMoments(t, new MemoryObjectStore()));

test('side logs of tables that are set aside are pinned as well', async (t) => {
  const failing = failingTable('1/0');
  const store = await TestWriteStore.open(await temporaryDirectory(t), BUSY, undefined, (engine) => failing.wrap(engine));
  await store.write('db', 'bad v=1i 1\ngood v=1i 1');
  await store.writes.snapshotNow();
  assert.equal(store.writes.tablesAside.length, 1);
  await store.write('db', 'bad v=2i 2');
  const moment = await store.writes.pin();
  await store.write('db', 'bad v=3i 3');
  failing.tables.clear();
  await store.writes.snapshotNow();
  assert.equal(store.writes.tablesAside.length, 0);
  const sideLogs = moment.files.filter(({ path }) => path.startsWith('aside/'));
  assert.equal(sideLogs.length, 1);
  const copy = await restored(t, moment);
  const values = async (name: string): Promise<unknown[]> => (await copy.rows('db', name)).map(({ fields }) => fields['v']).sort();
  assert.deepEqual([await values('bad'), await values('good')], [[1n, 2n], [1n]]);
  await copy.stop();
  moment.release();
  const [sideLog] = sideLogs;
  assert.ok(sideLog !== undefined);
  await until(async () => !(await isThere(sideLog)));
  await store.stop();
});

test('a store that ends says so to whoever holds a moment; one in memory has none', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), BUSY);
  await store.write('db', 'm v=1i 1');
  const moment = await store.writes.pin();
  await store.stop();
  assert.equal(moment.signal.aborted, true);
  await assert.rejects(store.writes.pin());
  const memory = await openStore({ kind: 'memory', nodeId: 'n1' });
  t.after(() => memory.close());
  const brief = await TestWriteStore.open(await temporaryDirectory(t), { store: memory });
  await assert.rejects(brief.writes.pin(), { code: 'PIN_WITHOUT_LOG' });
  await brief.stop();
});
