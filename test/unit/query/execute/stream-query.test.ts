import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Engine } from '../../../../src/duckdb/index.ts';
import { MemoryWatch } from '../../../../src/query/execute/memory-watch.ts';
import { type StreamQuery, streamQuery } from '../../../../src/query/execute/stream-query.ts';
import type { QueryResult } from '../../../../src/query/result.ts';
import { LIST_ELEMENTS_MAX } from '../../../../src/query/results/result-size.ts';
import { Lanes } from '../../../../src/scheduling/index.ts';
import { InfluxError } from '../../../../src/shared/errors.ts';
import { deferred } from '../../../support/deferred.ts';
import { testEngine } from '../../../support/engine.ts';
import { until } from '../../../support/until.ts';

class Probe {
  /** Memory of the process as the watch sees it, bytes. */
  resident = 0;
  ends = 0;
  readonly #end = deferred();
  readonly ended = this.#end.promise;

  query(engine: Engine, sql: string, signal?: AbortSignal): StreamQuery {
    return {
      engine,
      lane: new Lanes({ slots: 1, threads: 1 }).query('short'),
      memory: new MemoryWatch({ limitBytes: 1, residentBytes: () => this.resident, scriptBytes: () => 0 }),
      sql,
      output: [],
      explain: 'no',
      small: false,
      collect: false,
      signal,
      mapError: (error) => new InfluxError({ code: 'MAPPED', message: String(error), status: 400 }),
      onEnd: () => {
        this.ends++;
        this.#end.resolve();
      },
    };
  }
}

async function start(t: TestContext, sql: string, signal?: AbortSignal): Promise<{ result: QueryResult; probe: Probe; engine: Engine }> {
  const { engine } = await testEngine(t);
  const probe = new Probe();
  return { result: await streamQuery(probe.query(engine, sql, signal)), probe, engine };
}

async function isUsable(engine: Engine): Promise<void> {
  const probe = new Probe();
  const result = await streamQuery(probe.query(engine, 'SELECT 7::BIGINT'));
  let rows = 0;
  for await (const batch of result.batches()) rows += batch.rowCount;
  assert.equal(rows, 1);
  assert.equal(probe.ends, 1);
}

const MANY = 'SELECT i FROM range(100000) AS t(i) ORDER BY i';

describe('query streams', () => {
  it('deliver every row once and in order', async (t) => {
    const { result, probe, engine } = await start(t, MANY);
    let next = 0n;
    for await (const batch of result.batches()) {
      const [column] = batch.columns;
      assert.ok(column?.kind === 'int64');
      for (let row = 0; row < batch.rowCount; row++) assert.equal(column.data[row], next++);
    }
    assert.equal(next, 100_000n);
    assert.equal(probe.ends, 1);
    await isUsable(engine);
  });

  for (const small of [true, false]) {
    it(`that wait for their turn never run when they are cancelled or take too long, ${small ? 'taken at once' : 'streamed'}`, async (t) => {
      const { engine } = await testEngine(t);
      const lanes = new Lanes({ slots: 1, threads: 1 });
      const running = deferred();
      const busy = lanes.query('heavy').take({ run: () => running.promise });
      const leaving = new AbortController();
      const run = (signal: AbortSignal): Promise<QueryResult> =>
        streamQuery({ ...new Probe().query(engine, MANY, signal), lane: lanes.query('heavy'), small });
      const left = run(leaving.signal);
      const tooLong = new AbortController();
      const late = run(tooLong.signal);
      await new Promise(setImmediate);
      leaving.abort();
      tooLong.abort(new DOMException('too long', 'TimeoutError')); // as AbortSignal.timeout does
      await assert.rejects(left, { code: 'QUERY_CANCELLED', message: 'query error: the query was cancelled' });
      await assert.rejects(late, { code: 'QUERY_TIMEOUT', message: 'query error: the query ran longer than the server allows' });
      running.resolve();
      await busy;
      await isUsable(engine);
    });
  }

  it('without rows end before anybody asks for a batch', async (t) => {
    const { result, probe } = await start(t, 'SELECT 1 WHERE false');
    assert.equal(probe.ends, 1);
    for await (const batch of result.batches()) assert.fail(`a batch of ${batch.rowCount} rows`);
  });

  it('end once when the reader stops early', async (t) => {
    const { result, probe, engine } = await start(t, MANY);
    for await (const batch of result.batches()) if (batch.rowCount > 0) break;
    await probe.ended;
    await isUsable(engine);
    assert.equal(probe.ends, 1);
  });

  it('end once when they are cancelled, whether or not somebody reads', async (t) => {
    const unread = await start(t, MANY);
    unread.result.cancel();
    unread.result.cancel();
    await unread.probe.ended;
    await isUsable(unread.engine);
    assert.equal(unread.probe.ends, 1);
    const read = await start(t, MANY);
    const batches = read.result.batches()[Symbol.asyncIterator]();
    await batches.next();
    read.result.cancel();
    await batches.return?.(undefined);
    await read.probe.ended;
    assert.equal(read.probe.ends, 1);
  });

  it('let everything go when their signal or the memory watch ends them while nobody reads, and tell who reads later', async (t) => {
    const leaving = new AbortController();
    const left = await start(t, MANY, leaving.signal);
    leaving.abort();
    await until(() => left.probe.ends === 1);
    await isUsable(left.engine);
    await assert.rejects(left.result.batches()[Symbol.asyncIterator]().next(), { code: 'QUERY_CANCELLED' });
    const large = await start(t, MANY);
    large.probe.resident = 1;
    await until(() => large.probe.ends === 1);
    await isUsable(large.engine);
    await assert.rejects(large.result.batches()[Symbol.asyncIterator]().next(), { code: 'SQL_MEMORY' });
    assert.deepEqual([left.probe.ends, large.probe.ends], [1, 1]);
  });

  it('pass a failure after the first rows on as a catalogue error', async (t) => {
    const sql = "SELECT CASE WHEN i = 2999999 THEN error('late') ELSE i END FROM range(3000000) AS t(i)";
    const { result, probe } = await start(t, sql);
    await assert.rejects(async () => {
      for await (const batch of result.batches()) assert.ok(batch.rowCount > 0);
    }, /late/);
    await probe.ended;
    assert.equal(probe.ends, 1);
  });

  it('fail at once when the statement does', async (t) => {
    const { engine } = await testEngine(t);
    const probe = new Probe();
    await assert.rejects(streamQuery(probe.query(engine, 'SELECT nope')), /nope/);
    assert.equal(probe.ends, 0);
    await isUsable(engine);
  });

  it('that need too much memory fail alone, before their first row and after it', async (t) => {
    const { engine } = await testEngine(t);
    const slow = new Probe();
    slow.resident = 1;
    const endless = 'SELECT count(*) FROM range(100000) a(x), range(100000000) b(y) WHERE x + y = 3';
    await assert.rejects(streamQuery(slow.query(engine, endless)), { code: 'SQL_MEMORY', status: 500 });
    const late = new Probe();
    const result = await streamQuery(late.query(engine, 'SELECT x + y FROM range(100000) a(x), range(100000) b(y)'));
    await assert.rejects(
      async () => {
        for await (const batch of result.batches()) if (batch.rowCount > 0) late.resident = 1;
      },
      { code: 'SQL_MEMORY' },
    );
    await late.ended;
    await isUsable(engine);
  });

  it('whose filters leave chunks almost empty are collected first, unless their order matters', async (t) => {
    for (const collect of [true, false]) {
      const { engine } = await testEngine(t);
      await engine.run('CREATE TABLE sparse AS SELECT i, i % 100 AS r FROM range(300000) t(i)');
      const probe = new Probe();
      const result = await streamQuery({ ...probe.query(engine, 'SELECT i FROM sparse WHERE r = 7'), collect });
      const rows: bigint[] = [];
      let batches = 0;
      for await (const { columns, rowCount } of result.batches()) {
        batches++;
        const [column] = columns;
        assert.ok(column?.kind === 'int64');
        rows.push(...column.data.subarray(0, rowCount));
      }
      const sorted = collect ? rows.sort((a, b) => (a < b ? -1 : 1)) : rows;
      assert.deepEqual(
        sorted,
        Array.from({ length: 3000 }, (_, i) => BigInt(i) * 100n + 7n),
      );
      assert.ok(collect ? batches <= 4 : batches > 100, `${batches} batches`);
      assert.equal(probe.ends, 1);
      await isUsable(engine);
    }
  });

  it('that fail among their first rows say why', async (t) => {
    const { engine } = await testEngine(t);
    const probe = new Probe();
    const sql = "SELECT CASE WHEN i = 3000 THEN error('too much of it') ELSE 'x' END FROM range(100000) t(i)";
    await assert.rejects(streamQuery(probe.query(engine, sql)), /too much of it/);
    await isUsable(engine);
  });

  it('with lists that are too long to be answered are refused', async (t) => {
    const { engine } = await testEngine(t);
    // From a table: DuckDB takes half a minute to fold a constant list of this length.
    await engine.run(`CREATE TABLE lengths AS SELECT ${LIST_ELEMENTS_MAX + 1} AS n`);
    const list = 'range(n)';
    for (const sql of [`SELECT ${list} FROM lengths`, `SELECT [${list}] FROM lengths`, `SELECT {'a': ${list}} FROM lengths`]) {
      await assert.rejects(streamQuery(new Probe().query(engine, sql)), {
        code: 'SQL_MEMORY',
        message: /the lists of a result have \d+ elements/,
      });
    }
    await isUsable(engine);
  });
});
