// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { removeGarbage, surveyNode } from '../../../src/node-data/index.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { StormyBucket, type StormyWorld } from '../../support/stormy-bucket.ts';
import { until } from '../../support/until.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

/** `BUCKET_SEED`: the first seed; `BUCKET_SEEDS`: how many; `BUCKET_LIVES`: servers of each. */
const FIRST_SEED = Number(process.env['BUCKET_SEED'] ?? 1);
const SEEDS = Number(process.env['BUCKET_SEEDS'] ?? 1);
const LIVES = Number(process.env['BUCKET_LIVES'] ?? 4);
/** What each server does until the next one starts; beside that one it does twice as much more at most. */
const STEPS = 30;

const SETTINGS = {
  maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 },
  retryPauseMs: 1,
  infosPerCheckpoint: 12,
  wal: { flushIntervalMs: 1, filesPerSnapshot: 600, maxBufferedWrites: 1000, snapshottedFilesToKeep: 0, replayFailOnError: false },
};
/** In lives of servers: far more than a snapshot takes, as the day that `debug objects` waits. */
const GARBAGE_AGE = 2;
const HOUR_NS = 3_600_000_000_000n;
const MINUTE_NS = 60_000_000_000n;

/** What was acknowledged: whether each thing is there. Undefined = nobody knows, its operation had no answer. */
type Known = Map<string, boolean | undefined>;

/** What clients know of all lives. */
class History implements StormyWorld {
  readonly objects = new MemoryObjectStore();
  readonly writtenIn = new Map<string, number>();
  readonly nowNs = BigInt(Date.now()) * 1_000_000n;
  life = 0;
  operations = 0;
  /** Numbers of rows. */
  readonly rows: Known = new Map();
  /** `database d1`, `table d1.t2`, `token k3`, `trigger d1.g4`. */
  readonly things: Known = new Map();
  readonly counts = new Map<string, number>();
  #state: number;
  #next = 0;

  constructor(seed: number) {
    this.#state = seed * 7919 + 1;
    this.objects.modifiedMs = (key) => this.writtenIn.get(key) ?? 0;
  }

  random(): number {
    this.#state = (this.#state * 1_103_515_245 + 12_345) % 2 ** 31;
    return this.#state / 2 ** 31;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)] as T;
  }

  next(): number {
    return this.#next++;
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  /** Carries an operation out; `there` is what holds when it was acknowledged. */
  async change(known: Known, name: string, there: boolean, operation: () => Promise<unknown>): Promise<void> {
    known.set(name, undefined);
    await operation();
    known.set(name, there);
  }

  present(kind: string): string[] {
    return [...this.things]
      .filter(([name, there]) => there === true && name.startsWith(`${kind} `))
      .map(([name]) => name.slice(kind.length + 1));
  }
}

/** One thing that a client or the server itself does. Rejects when it was not acknowledged. */
async function step(history: History, store: TestWriteStore): Promise<void> {
  const dice = history.random();
  const n = history.next();
  const { catalog, writes } = store;
  const { things } = history;
  if (dice < 0.45) {
    // In two chunks at most, so that there is something to compact; every second one to a database that keeps a day only.
    const time = history.nowNs - BigInt(n) * 1_000n - (n % 3 === 0 ? 20n * MINUTE_NS : 0n);
    const lines = [`m,k=k${n % 5} v=${n}i ${time}`, `n,k=k${n % 5} v=${n}i ${time}`];
    await history.change(history.rows, String(n), true, () => store.write(n % 2 === 0 ? 'db' : 'day', lines.join('\n')));
  } else if (dice < 0.5) {
    await store.write('day', `old v=${n}i ${history.nowNs - 100n * HOUR_NS - BigInt(n) * MINUTE_NS}`); // retention takes it
  } else if (dice < 0.6) {
    await writes.snapshotNow();
    history.count('snapshots');
  } else if (dice < 0.66) {
    await writes.maintainNow();
    history.count('maintenances');
  } else if (dice < 0.7) {
    await clean(history);
  } else if (dice < 0.76) {
    await history.change(things, `database d${n}`, true, () => catalog.createDatabase(`d${n}`));
  } else if (dice < 0.82) {
    await history.change(things, `table db.t${n}`, true, () => catalog.createTable('db', `t${n}`, { tags: ['k'], fields: [] }));
  } else if (dice < 0.86) {
    const hash = n.toString(16).padStart(128, '0');
    await history.change(things, `token k${n}`, true, () => catalog.createToken({ name: `k${n}`, hash }));
  } else if (dice < 0.9) {
    await history.change(things, `trigger db.g${n}`, true, () =>
      catalog.createTrigger('db', {
        ...{ name: `g${n}`, pluginFilename: 'p.js', spec: { kind: 'every', secs: 9, nanos: 0 }, runAsync: false },
        ...{ errorBehavior: 'log', arguments: {}, disabled: true },
      }),
    );
  } else {
    await drop(history, store);
  }
}

async function drop(history: History, { catalog }: TestWriteStore): Promise<void> {
  const kind = history.pick(['database', 'table', 'token', 'trigger']);
  const names = history.present(kind);
  if (names.length < 3) return;
  const name = history.pick(names);
  const [database = '', child = ''] = name.split('.');
  const hardDelete = { kind: history.pick(['now', 'default'] as const) };
  await history.change(history.things, `${kind} ${name}`, false, async () => {
    if (kind === 'token') return catalog.deleteToken(name);
    if (kind === 'trigger') return catalog.deleteTrigger(database, child, { force: true });
    if (kind === 'table') return catalog.softDeleteTable(database, child, hardDelete);
    return catalog.softDeleteDatabase(name, hardDelete);
  });
  history.count('drops');
}

/** `debug objects --clean --yes` beside the servers. */
async function clean(history: History): Promise<void> {
  const bucket = new StormyBucket(history);
  bucket.modifiedMs = history.objects.modifiedMs;
  const entries = (): ReturnType<StormyBucket['entries']> => bucket.entries('');
  const place = {
    nodeId: 'n1',
    prefix: 'n1',
    objects: bucket,
    bucket,
    directory: undefined,
    entries,
    text: 'bucket',
    close: () => undefined,
  };
  const survey = await surveyNode(place, { nowMs: history.life, garbageAgeMs: GARBAGE_AGE });
  assert.deepEqual([survey.missing, survey.facts?.doubt], [[], undefined], 'a survey misses something');
  await removeGarbage(place, survey);
  history.count('garbage', survey.garbage.length);
}

/** Some clients of a server, until they were told to end, did enough, or nothing of theirs is acknowledged any more. */
class Clients {
  readonly #history: History;
  readonly #store: TestWriteStore;
  #isOver = false;
  steps = 0;
  readonly ended: Promise<unknown>;

  constructor(history: History, store: TestWriteStore) {
    this.#history = history;
    this.#store = store;
    this.ended = Promise.all([this.#run(), this.#run(), this.#run()]);
  }

  end(): void {
    this.#isOver = true;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isOver && failures < 20 && this.steps < 3 * STEPS; ) {
      try {
        await step(this.#history, this.#store);
        this.steps++;
        failures = 0;
        this.#history.count('steps');
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        failures++;
      }
    }
  }
}

interface Server {
  readonly store: TestWriteStore;
  readonly bucket: StormyBucket;
  readonly clients: Clients;
}

/** Starts a server, takes over from all before, and compares what it has with what they acknowledged. */
async function start(t: TestContext, history: History, when: string): Promise<Server> {
  const bucket = new StormyBucket(history);
  history.life++;
  bucket.trouble = history.pick([0, 0.05, 0.2]);
  const store = await TestWriteStore.open(await temporaryDirectory(t), SETTINGS, undefined, undefined, bucket);
  t.after(async () => {
    bucket.thaw();
    bucket.trouble = 0;
    await store.stop().catch(() => undefined); // most are fenced
  });
  await compare(history, store, when);
  if (store.catalog.database('day') === undefined) {
    await store.catalog.createDatabase('db');
    await store.catalog.createDatabase('day', { retentionNs: 24n * HOUR_NS });
  }
  return { store, bucket, clients: new Clients(history, store) };
}

async function compare(history: History, store: TestWriteStore, when: string): Promise<void> {
  assert.deepEqual(store.writes.lostRows, [], when);
  const found: Record<'m' | 'n', string[]> = { m: [], n: [] };
  for (const table of ['m', 'n'] as const) {
    for (const database of ['db', 'day']) {
      for (const { fields } of await store.rows(database, table)) found[table].push(String(fields['v']));
    }
    assertThere(history.rows, found[table], `${when}, rows of ${table}`);
  }
  assert.deepEqual(found.m.sort(), found.n.sort(), `${when}: writes are there as a whole`);
  const { catalog } = store;
  const there: string[] = [];
  for (const database of catalog.databases()) {
    if (database.deleted || database.name === '_internal') continue;
    if (database.name !== 'db' && database.name !== 'day') there.push(`database ${database.name}`);
    for (const { deleted, name } of database.tables.values())
      if (!deleted && /^t\d/.test(name)) there.push(`table ${database.name}.${name}`);
    for (const { name } of catalog.triggers(database)) there.push(`trigger ${database.name}.${name}`);
  }
  for (const { name } of catalog.tokens()) there.push(`token ${name}`);
  assertThere(history.things, there, `${when}, catalog`);
}

function assertThere(known: Known, found: readonly string[], when: string): void {
  const there = new Set(found);
  const acknowledged = [...known].filter(([, is]) => is === true).map(([name]) => name);
  const wrong = {
    twice: found.length - there.size,
    lost: acknowledged.filter((name) => !there.has(name)),
    notThere: found.filter((name) => known.get(name) === false || !known.has(name)),
  };
  assert.deepEqual(wrong, { twice: 0, lost: [], notThere: [] }, when);
}

async function countOf(history: History, prefix: string): Promise<number> {
  let count = 0;
  for await (const _ of history.objects.list(prefix)) count++;
  return count;
}

for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
  test(`servers that take over from each other all the time keep what was acknowledged, once (seed ${seed})`, async (t) => {
    const history = new History(seed);
    const servers: Server[] = [];
    servers.push(await start(t, history, 'at first'));
    for (let life = 1; life < LIVES; life++) {
      const old = servers.at(-1) as Server;
      await until(() => old.clients.steps >= STEPS);
      if (history.random() < 0.5) old.bucket.freeze();
      if (history.random() < 0.5) history.pick(servers.slice(0, -1).concat(old)).bucket.thaw();
      servers.push(await start(t, history, `life ${life}`));
    }
    await until(() => (servers.at(-1) as Server).clients.steps >= STEPS);
    for (const { bucket, clients } of servers) {
      bucket.thaw();
      bucket.trouble = 0;
      clients.end();
    }
    for (const { clients } of servers) await clients.ended;
    const last = await start(t, history, 'at the end');
    last.clients.end();
    await last.clients.ended;
    t.diagnostic(JSON.stringify({ ...Object.fromEntries(history.counts), operations: history.operations }));
    const starts = LIVES + 1;
    assert.ok((await countOf(history, 'catalog/v3/')) < starts + 50, `${await countOf(history, 'catalog/v3/')} objects of the catalog`);
    assert.ok((await countOf(history, 'snapshots/')) < starts + 60, `${await countOf(history, 'snapshots/')} infos`);
  });
}
