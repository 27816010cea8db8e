// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { Catalog } from '../../../src/catalog/index.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { openStore } from '../../../src/storage/index.ts';
import { ReopeningStore, type ReopeningStoreOptions } from '../../../src/write/reopening-store.ts';
import { tableScanSql } from '../../../src/write/scan/index.ts';
import { readRows } from '../../support/engine.ts';
import { ModelTable, modelLine, type TestRow } from '../../support/model-table.ts';
import { type Death, MortalEngines } from '../../support/mortal-engines.ts';
import { until } from '../../support/until.ts';
import { CHUNK_NS, temporaryDirectory } from '../../support/write-store.ts';

/** Calls that are left out between two at which DuckDB dies; `ENGINE_FAULT_STEP=1` tries every one. */
const STEP = Number(process.env['ENGINE_FAULT_STEP'] ?? 7);

const RESTARTING = { code: 'ENGINE_RESTARTING', status: 503 };

/** The write side of a server whose DuckDB can die, and a client that sends again what was refused with 503. */
class Server {
  readonly writes: ReopeningStore;
  readonly engines: MortalEngines;
  readonly model = new ModelTable();
  /** Refusals with 503. */
  refusals = 0;

  private constructor(writes: ReopeningStore, engines: MortalEngines) {
    this.writes = writes;
    this.engines = engines;
  }

  static async open(t: TestContext, overrides: Partial<ReopeningStoreOptions> = {}): Promise<Server> {
    const directory = await temporaryDirectory(t);
    const store = overrides.store ?? (await openStore({ kind: 'file', dataDir: directory, nodeId: 'n1', sync: false }));
    const catalog = await Catalog.open({ objects: store.objects, clock: systemClock, randomUuid: randomUUID, log: silentLogger });
    const engines = new MortalEngines(store.durable ? directory : store.root);
    const writes = await ReopeningStore.open({
      store,
      catalog,
      engine: engines,
      clock: systemClock,
      log: silentLogger,
      nodeId: 'n1',
      chunkDurationNs: CHUNK_NS,
      wal: {
        flushIntervalMs: 1_000_000,
        filesPerSnapshot: 600,
        maxBufferedWrites: 100_000,
        snapshottedFilesToKeep: 0,
        replayFailOnError: true,
      },
      forceSnapshotBytes: 1 << 30,
      retryPauseMs: 1,
      maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 },
      ...overrides,
    });
    t.after(async () => {
      await writes.stop();
      await engines.discard();
      await catalog.close();
      await store.close();
    });
    return new Server(writes, engines);
  }

  async write(rows: readonly TestRow[]): Promise<void> {
    const lines = rows.map(({ tags, fields, timeNs }) => `m,k=${tags['k']} v=${fields['v']}i ${timeNs}`).join('\n');
    await this.retried(() =>
      this.writes.write({ database: 'db', body: Buffer.from(lines), precision: 'nanosecond', acceptPartial: false, noSync: false }),
    );
    for (const row of rows) this.model.write(row);
  }

  rows(): Promise<TestRow[]> {
    return this.retried(() => this.#rows());
  }

  async #rows(): Promise<TestRow[]> {
    const engine = await this.engines.get();
    const table = this.writes.table('db', 'm');
    if (table === undefined) return [];
    const snapshot = await this.writes.snapshot(table, undefined, undefined);
    try {
      const { buffer, cutoffNs, files } = snapshot;
      const columns = table.columns.map((column) => ({ column, as: column.name }));
      const bounds = { minTimeNs: undefined, maxTimeNs: undefined };
      const source = tableScanSql({ table, columns, files, buffer, chunkDurationNs: CHUNK_NS, ...bounds, cutoffNs });
      return await readRows(engine, source, table);
    } catch (error) {
      throw engine.failure ?? error;
    } finally {
      snapshot.release();
    }
  }

  async check(when: string): Promise<void> {
    assert.deepEqual((await this.rows()).map(modelLine).sort(), this.model.lines(), when);
  }

  async retried<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, RESTARTING.code, String(error));
        this.refusals++;
        await until(async () => (this.writes.state.kind === 'open' ? true : undefined));
      }
    }
  }
}

/** Rows of five series in three chunks, two hours apart; `round` makes new times, `value` new values. */
function rows(round: number, count: number, value: number): TestRow[] {
  return Array.from({ length: count }, (_, i) => ({
    tags: { k: `s${i % 5}` },
    fields: { v: BigInt(value * 1_000_000 + i) },
    timeNs: BigInt((i % 3) * 12) * CHUNK_NS + BigInt(round * 100_000 + i),
  }));
}

/** Writes, overwrites, snapshots, compactions and reads; what was acknowledged must be read back, each row once. */
async function live(server: Server): Promise<void> {
  await server.write(rows(0, 3000, 1));
  await server.write(rows(1, 3000, 2));
  await server.check('while everything is buffered');
  await server.writes.store.snapshotNow();
  await server.write(rows(1, 2500, 3));
  await server.write(rows(2, 100, 4));
  await server.check('after a snapshot and overwrites');
  await server.writes.store.snapshotNow();
  await server.writes.store.maintainNow();
  await server.write(rows(3, 2100, 5));
  await server.check('after a compaction');
  assert.ok(server.refusals > 0 || server.writes.store.compaction.runs > 0, 'there was a compaction');
}

test('acknowledged rows are read back once, whichever call DuckDB dies at', { timeout: 600_000 }, async (t) => {
  const healthy = await Server.open(t);
  await live(healthy);
  assert.equal(healthy.refusals, 0);
  const { calls } = healthy.engines;
  assert.ok(calls > 20, `${calls} calls`);
  let refusals = 0;
  let deaths = 0;
  for (let at = 1; at <= calls; at += STEP) {
    for (const death of ['before', 'after'] satisfies Death[]) {
      await t.test(`${death} call ${at}`, async (each) => {
        const server = await Server.open(each);
        server.engines.dieAt(at, death);
        await live(server);
        await until(async () => (server.writes.state.kind === 'open' ? true : undefined));
        await server.check('at the end');
        assert.ok(server.engines.opened >= 2, 'it died');
        deaths++;
        refusals += server.refusals;
      });
    }
  }
  assert.ok(deaths > 0 && refusals > 0);
});

test('a second death while the store is opened again is survived too', async (t) => {
  const server = await Server.open(t);
  await server.write(rows(0, 5000, 1));
  const engine = await server.engines.get();
  for (let call = 1; call <= 3; call++) server.engines.dieAt(server.engines.calls + call, 'before');
  engine.noticeFailure(new Error('FATAL Error: out of luck'));
  assert.equal(server.writes.state.kind, 'reopening');
  await assert.rejects(
    server.writes.write({ database: 'db', body: Buffer.from('m v=1i 1'), precision: 'nanosecond', acceptPartial: false, noSync: false }),
    RESTARTING,
  );
  await server.check('after it');
  await server.write(rows(1, 10, 2));
  await server.check('and goes on');
});

test('a write that waits for room when DuckDB dies ends', async (t) => {
  const server = await Server.open(t);
  await server.write(rows(0, 10, 1));
  // Nothing leaves the queue before DuckDB: more than twice the bytes that may wait.
  for (let call = 1; call < 4000; call++) server.engines.dieAt(server.engines.calls + call, 'before');
  const text = 'x'.repeat(400_000);
  const answers = await Promise.allSettled(
    Array.from({ length: 250 }, (_, i) =>
      server.writes.write({
        database: 'db',
        body: Buffer.from(`w,k=a s="${text}" ${i}`),
        precision: 'nanosecond',
        acceptPartial: false,
        noSync: false,
      }),
    ),
  );
  assert.equal(answers.length, 250);
  await server.writes.stop();
});

test('listeners hear of the new store in the step in which it takes over', async (t) => {
  const applied: number[] = [];
  const server = await Server.open(t, { onApplied: (_, section) => void applied.push(section.rowCount) });
  await server.write(rows(0, 100, 1));
  const states: string[] = [];
  server.writes.onReopened(() => states.push(server.writes.state.kind));
  (await server.engines.get()).noticeFailure(new Error('FATAL Error: out of luck'));
  await server.check('after it');
  assert.deepEqual(states, ['open']);
  assert.deepEqual(applied, [100], 'rows from the log are not told again: listeners start anew from stored rows');
  await server.write(rows(1, 7, 1));
  assert.deepEqual(applied, [100, 7]);
});

test('listeners of durable rows hear each row once, also from the store that takes over', async (t) => {
  const server = await Server.open(t);
  const heard: bigint[] = [];
  const end = server.writes.onDurable((batch) => {
    for (const { timesNs } of batch.sections()) heard.push(...timesNs);
  });
  const row = (timeNs: bigint): TestRow => ({ tags: { k: 'a' }, fields: { v: timeNs }, timeNs });
  await server.write([row(1n), row(2n)]);
  (await server.engines.get()).noticeFailure(new Error('FATAL Error: out of luck'));
  await server.write([row(3n)]);
  assert.deepEqual(heard, [1n, 2n, 3n]);
  end();
  await server.write([row(4n)]);
  assert.deepEqual(heard, [1n, 2n, 3n]);
});

test('after too many deaths the store says that it cannot go on', async (t) => {
  const server = await Server.open(t);
  await server.write(rows(0, 10, 1));
  const reasons: string[] = [];
  server.writes.onLost((reason) => reasons.push(reason));
  for (let death = 0; death < 5; death++) {
    (await server.engines.get()).noticeFailure(new Error('FATAL Error: out of luck'));
    await server.check(`after death ${death}`);
  }
  (await server.engines.get()).noticeFailure(new Error('FATAL Error: out of luck'));
  await until(async () => (server.writes.state.kind === 'lost' ? true : undefined));
  assert.deepEqual(reasons, ['the query engine failed more than 5 times within 10 minutes: FATAL Error: out of luck']);
  assert.throws(() => server.writes.peek(server.writes.table('db', 'm') as never, undefined, undefined), RESTARTING);
});

test('without a log the first death is the last', async (t) => {
  const server = await Server.open(t, { store: await openStore({ kind: 'memory', nodeId: 'n1' }) });
  await server.write(rows(0, 10, 1));
  (await server.engines.get()).noticeFailure(new Error('FATAL Error: out of luck'));
  await until(async () => (server.writes.state.kind === 'lost' ? true : undefined));
  await assert.rejects(
    server.writes.write({ database: 'db', body: Buffer.from('m v=1i 1'), precision: 'nanosecond', acceptPartial: false, noSync: false }),
    RESTARTING,
  );
});
