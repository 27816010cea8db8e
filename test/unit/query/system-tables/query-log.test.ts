import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { QueryResult, ResultBatch } from '../../../../src/query/result.ts';
import { LoggedResult } from '../../../../src/query/system-tables/logged-result.ts';
import { LOGGED_TEXT_CHARS_MAX, QueryLog, queriesTable } from '../../../../src/query/system-tables/query-log.ts';
import { MovingClock, NOW_MS } from '../../caches/support.ts';

function openLog(entriesMax: number): { log: QueryLog; clock: MovingClock; rows: () => Record<string, unknown>[] } {
  const clock = new MovingClock();
  let ids = 0;
  const log = new QueryLog({ entriesMax, clock, randomUuid: () => `id-${++ids}` });
  const table = queriesTable(log);
  const rows = (): Record<string, unknown>[] =>
    log.entries().map((entry) => Object.fromEntries(entry.cells().map((cell, i) => [table.columns[i]?.name ?? '', cell])));
  return { log, clock, rows };
}

describe('query log (system tables 1.1)', () => {
  test('a query goes through its phases, each duration known when its step is over', () => {
    const { log, clock, rows } = openLog(10);
    const entry = log.begin({ kind: 'influxql', text: 'SHOW MEASUREMENTS', database: 'd', traceId: 'abc' });
    assert.deepEqual(rows(), [
      {
        id: 'id-1',
        phase: 'received',
        issue_time: BigInt(NOW_MS) * 1_000_000n,
        query_type: 'influxql',
        query_text: 'SHOW MEASUREMENTS',
        partitions: null,
        parquet_files: null,
        plan_duration: null,
        permit_duration: null,
        execute_duration: null,
        end2end_duration: null,
        compute_duration: null,
        max_memory: null,
        success: false,
        running: true,
        cancelled: false,
        trace_id: 'abc',
      },
    ]);
    entry.compiled();
    assert.equal(rows()[0]?.['phase'], 'logically_planned');
    clock.forward(3);
    entry.planned({ partitions: 2, parquetFiles: 5 });
    clock.forward(4);
    entry.permitted();
    assert.equal(rows()[0]?.['phase'], 'execution_permit');
    clock.forward(5);
    entry.succeed();
    const { partitions, parquet_files, plan_duration, permit_duration, execute_duration, end2end_duration } = rows()[0] ?? {};
    assert.deepEqual(
      [partitions, parquet_files, plan_duration, permit_duration, execute_duration, end2end_duration],
      [2n, 5n, 3_000_000n, 4_000_000n, 5_000_000n, 12_000_000n],
    );
  });

  test('each end has its flags, and the first end stays', () => {
    const { log, rows } = openLog(10);
    for (const end of ['succeed', 'fail', 'cancel'] as const) {
      const entry = log.begin({ kind: 'sql', text: end, database: 'd' });
      entry[end]();
      entry.succeed();
      entry.cancel();
      entry.compiled();
      entry.planned({ partitions: 1, parquetFiles: 1 });
      entry.permitted();
    }
    assert.deepEqual(
      rows().map((row) => [row['phase'], row['success'], row['running'], row['cancelled'], row['partitions'], row['compute_duration']]),
      [
        ['success', true, false, false, null, 0n],
        ['fail', false, false, false, null, 0n],
        ['cancel', false, false, true, null, 0n],
      ],
    );
  });

  test('exactly the newest queries are held, oldest first; a size of 0 holds none', () => {
    for (const size of [0, 1, 3]) {
      const { log, rows } = openLog(size);
      for (let i = 1; i <= 7; i++) log.begin({ kind: 'sql', text: `q${i}`, database: 'd' }).succeed();
      const expected = ['q5', 'q6', 'q7'].slice(3 - size);
      assert.deepEqual(
        rows().map((row) => row['query_text']),
        expected,
      );
    }
  });

  test('what runs has a number, by which it can be ended', async () => {
    const { log, clock, rows } = openLog(0);
    const gone = new AbortController();
    const [first, second] = [gone.signal, undefined].map((signal, i) => log.begin({ kind: 'sql', text: `q${i}`, database: 'd', signal }));
    clock.forward(7);
    const state = { database: 'd', runningMs: 7, killed: false };
    assert.deepEqual(log.running(), [
      { number: 1, text: 'q0', ...state },
      { number: 2, text: 'q1', ...state },
    ]);
    assert.equal(log.kill(3), false);
    assert.equal(log.kill(2), true);
    assert.equal(log.running()[1]?.killed, true);
    assert.match(String(second?.signal.reason), /ended by KILL QUERY/);
    assert.equal(first?.signal.aborted, false);
    gone.abort();
    assert.equal(first?.signal.aborted, true, 'its client left');
    first?.cancel();
    second?.cancel();
    assert.deepEqual([log.running(), rows()], [[], []]);
  });

  test('a very long statement is kept up to a limit', () => {
    const { log, rows } = openLog(1);
    log.begin({ kind: 'sql', text: 'x'.repeat(LOGGED_TEXT_CHARS_MAX + 1), database: 'd' });
    assert.equal(String(rows()[0]?.['query_text']).length, LOGGED_TEXT_CHARS_MAX);
  });
});

describe('the end of a result is the end of its query', () => {
  const result = (run: () => AsyncGenerator<ResultBatch>): QueryResult => ({ columns: [], batches: run, cancel: () => undefined });
  const batch: ResultBatch = { rowCount: 0, columns: [] };

  async function phaseAfter(
    use: (logged: LoggedResult, abort: AbortController) => Promise<void>,
    run: () => AsyncGenerator<ResultBatch>,
  ): Promise<string> {
    const { log } = openLog(1);
    const abort = new AbortController();
    const entry = log.begin({ kind: 'sql', text: 'q', database: 'd', signal: abort.signal });
    await use(new LoggedResult(result(run), entry), abort);
    return entry.phase;
  }

  async function* two(): AsyncGenerator<ResultBatch> {
    yield batch;
    yield batch;
  }

  async function* broken(): AsyncGenerator<ResultBatch> {
    yield batch;
    throw new Error('half-way');
  }

  const drain = async (logged: LoggedResult): Promise<void> => {
    for await (const { rowCount } of logged.batches()) assert.equal(rowCount, 0);
  };

  test('all rows read: success', async () => {
    assert.equal(await phaseAfter(drain, two), 'success');
  });

  test('a failure half-way: fail', async () => {
    assert.equal(await phaseAfter((logged) => assert.rejects(drain(logged), /half-way/), broken), 'fail');
  });

  test('the reader leaves early, or cancels: cancel', async () => {
    const leave = async (logged: LoggedResult): Promise<void> => {
      for await (const { rowCount } of logged.batches()) if (rowCount === 0) break;
    };
    assert.equal(await phaseAfter(leave, two), 'cancel');
    assert.equal(await phaseAfter(async (logged) => logged.cancel(), two), 'cancel');
  });

  test('killed between two batches: cancel, and the client hears why', async () => {
    const { log } = openLog(1);
    const entry = log.begin({ kind: 'sql', text: 'q', database: 'd' });
    const batches = new LoggedResult(result(two), entry).batches();
    assert.equal((await batches.next()).done, false);
    log.kill(1);
    await assert.rejects(batches.next(), { code: 'QUERY_KILLED' });
    assert.equal(entry.phase, 'cancel');
  });

  test('the client went away: cancel, although DuckDB fails because of it', async () => {
    const gone = async (logged: LoggedResult, abort: AbortController): Promise<void> => {
      abort.abort();
      await assert.rejects(drain(logged), { code: 'QUERY_CANCELLED' });
    };
    assert.equal(await phaseAfter(gone, broken), 'cancel');
  });

  test('ended while nobody reads: cancel when it is not wanted, fail when it took too long', async () => {
    assert.equal(await phaseAfter(async (_, abort) => abort.abort(), two), 'cancel');
    const tooLong = new DOMException('too long', 'TimeoutError'); // as AbortSignal.timeout does
    assert.equal(await phaseAfter(async (_, abort) => abort.abort(tooLong), two), 'fail');
  });
});
