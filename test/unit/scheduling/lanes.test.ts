import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lanes, type QueryLane, queryLanes } from '../../../src/scheduling/index.ts';
import { deferred } from '../../support/deferred.ts';
import { until } from '../../support/until.ts';

/** A call that the test ends, and that ends with a failure when it is interrupted. */
class Call {
  runs = 0;
  interrupts = 0;
  readonly result: Promise<string>;
  #end: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor(lane: QueryLane, { repeatable = true, signal }: { repeatable?: boolean; signal?: AbortSignal } = {}) {
    this.result = lane.take({
      run: () => {
        this.runs++;
        return new Promise<string>((resolve, reject) => {
          this.#end = () => resolve('done');
          this.#fail = reject;
        });
      },
      signal,
      ...(repeatable ? { interrupt: () => this.#interrupt() } : {}),
    });
    this.result.catch(() => undefined); // each test looks at those that matter to it
  }

  get running(): boolean {
    return this.runs > 0;
  }

  end(): void {
    this.#end();
  }

  fail(): void {
    this.#fail(new Error('failed'));
  }

  #interrupt(): void {
    this.interrupts++;
    this.#fail(new Error('interrupted'));
  }
}

async function turn(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}

async function holds(condition: () => boolean): Promise<void> {
  await until(async () => (condition() ? true : undefined));
}

const NO_BUDGET = { light: 1_000_000, short: 1_000_000 };
/** The two lanes that queries begin in: what it is about in the first, what takes its time in the other. */
const BOTH = [
  ['light', 'short', { ...NO_BUDGET, light: 1 }],
  ['short', 'light', { ...NO_BUDGET, short: 1 }],
] as const;

describe('lanes', () => {
  it('run so many calls at the same time and no more, in the order in which they came, failures included', async () => {
    const lanes = new Lanes({ slots: 4, threads: 2, budgetMs: NO_BUDGET });
    const calls = [0, 1, 2, 3].map(() => new Call(lanes.query('short')));
    const running = () => calls.map((call) => call.running);
    await turn();
    assert.deepEqual(running(), [true, true, false, false]);
    calls[0]?.fail();
    await turn();
    assert.deepEqual(running(), [true, true, true, false]);
    await assert.rejects(calls[0]?.result as Promise<string>, /failed/);
    calls[1]?.end();
    calls[2]?.end();
    await turn();
    calls[3]?.end();
    assert.equal(await calls[3]?.result, 'done');
    for (const figures of Object.values(lanes.figures)) assert.deepEqual(figures, { running: 0, waiting: 0 });
  });

  it('let light and short queries run while heavy ones take all slots of theirs and others wait', async () => {
    const lanes = new Lanes({ slots: 6, threads: 2, budgetMs: NO_BUDGET });
    const heavy = Array.from({ length: 40 }, () => new Call(lanes.query('heavy')));
    await turn();
    assert.deepEqual(lanes.figures.heavy, { running: 2, waiting: 38 });
    for (const lane of ['light', 'short'] as const) {
      const call = new Call(lanes.query(lane));
      await turn();
      call.end();
      assert.equal(await call.result, 'done');
    }
    assert.deepEqual(lanes.figures.heavy, { running: 2, waiting: 38 });
    for (const call of heavy) {
      await holds(() => call.running);
      call.end();
    }
    await Promise.all(heavy.map((call) => call.result));
  });

  it('serve light queries first where all lanes together are short of slots', async () => {
    const lanes = new Lanes({ slots: 1, threads: 8, budgetMs: NO_BUDGET });
    const calls = (['heavy', 'heavy', 'short', 'light'] as const).map((lane) => new Call(lanes.query(lane)));
    const order: number[] = [];
    for (const next of [0, 3, 2, 1]) {
      await holds(() => calls[next]?.running === true);
      order.push(calls.filter((call) => call.running).length);
      calls[next]?.end();
    }
    assert.deepEqual(order, [1, 2, 3, 4]);
  });

  for (const [lane, other, budgetMs] of BOTH) {
    it(`let a ${lane} query that takes longer than expected take a slot of the heavy ones`, async () => {
      const lanes = new Lanes({ slots: 2, threads: 1, budgetMs });
      const query = lanes.query(lane);
      const long = new Call(query);
      await holds(() => query.lane === 'heavy');
      const short = new Call(lanes.query(other));
      await holds(() => short.running);
      assert.deepEqual([long.runs, long.interrupts], [1, 0]);
      short.end();
      long.end();
      assert.deepEqual(await Promise.all([long.result, short.result]), ['done', 'done']);
    });

    it(`interrupt such a ${lane} query when there is none, and run it again when its turn has come`, async () => {
      const lanes = new Lanes({ slots: 2, threads: 1, budgetMs });
      const heavy = new Call(lanes.query('heavy'));
      const waiting = new Call(lanes.query('heavy'));
      const long = new Call(lanes.query(lane));
      await holds(() => lanes.figures.heavy.waiting === 2);
      assert.equal(long.interrupts > 0, true);
      const short = new Call(lanes.query(other));
      await holds(() => short.running);
      short.end();
      heavy.end();
      await holds(() => waiting.running);
      assert.equal(long.runs, 1, 'others wait longer');
      waiting.end();
      await holds(() => long.runs === 2);
      long.end();
      assert.equal(await long.result, 'done');
    });
  }

  it('leave a call alone that cannot be run again, and give its slot away all the same', async () => {
    const lanes = new Lanes({ slots: 3, threads: 1, budgetMs: { ...NO_BUDGET, short: 1 } });
    const heavy = new Call(lanes.query('heavy'));
    const query = lanes.query('short');
    const fetch = new Call(query, { repeatable: false });
    await holds(() => query.lane === 'heavy');
    const short = new Call(lanes.query('light'));
    await holds(() => short.running);
    assert.equal(fetch.runs, 1);
    for (const call of [heavy, fetch, short]) call.end();
    assert.deepEqual(await Promise.all([heavy, fetch, short].map((call) => call.result)), ['done', 'done', 'done']);
  });

  it('run a call again whose interrupt came too late: its result may be spoilt', async () => {
    const lanes = new Lanes({ slots: 2, threads: 1, budgetMs: { ...NO_BUDGET, short: 1 } });
    const heavy = new Call(lanes.query('heavy'));
    let runs = 0;
    const interrupted = deferred();
    const late = lanes.query('short').take({
      run: async () => {
        if (++runs === 1) await interrupted.promise;
        return runs;
      },
      interrupt: () => interrupted.resolve(), // it ends as if nothing had happened
    });
    await holds(() => lanes.figures.heavy.waiting === 1);
    heavy.end();
    assert.equal(await late, 2);
  });

  for (const lane of ['light', 'short', 'heavy'] as const) {
    it(`are left by ${lane} queries that are not wanted any more, which never run`, async () => {
      const lanes = new Lanes({ slots: 2, threads: 1, budgetMs: NO_BUDGET });
      const first = new Call(lanes.query(lane));
      const leaving = new AbortController();
      const second = new Call(lanes.query(lane), { signal: leaving.signal });
      const third = new Call(lanes.query(lane), { signal: new AbortController().signal });
      leaving.abort(new Error('gone'));
      await assert.rejects(second.result, { message: 'gone' });
      await assert.rejects(new Call(lanes.query(lane), { signal: leaving.signal }).result, { message: 'gone' });
      assert.equal(second.running, false);
      first.end();
      await holds(() => third.running);
      third.end();
      await third.result;
    });
  }

  it('refuse calls when too many of a lane wait', async () => {
    const lanes = new Lanes({ slots: 2, threads: 1, waitingMax: 2 });
    const calls = [0, 1, 2].map(() => new Call(lanes.query('heavy')));
    await assert.rejects(new Call(lanes.query('heavy')).result, {
      code: 'QUERY_QUEUE_FULL',
      status: 503,
      message: 'Resources exhausted: more than 2 queries are waiting, try again later',
    });
    const light = new Call(lanes.query('light'));
    await holds(() => light.running);
    for (const call of [...calls, light]) {
      await holds(() => call.running);
      call.end();
      await call.result;
    }
  });

  it('leave threads of the pool to other work, and are never none', async () => {
    for (const [size, threads, atOnce] of [
      [undefined, 8, { light: 1, short: 1, heavy: 0 }],
      ['1', 2, { light: 1, short: 0, heavy: 0 }],
      ['nonsense', 2, { light: 1, short: 1, heavy: 0 }],
      ['16', 2, { light: 2, short: 2, heavy: 2 }],
      ['16', 8, { light: 8, short: 6, heavy: 0 }],
    ] as const) {
      const lanes = queryLanes(size, threads);
      const names = ['light', 'short', 'heavy'] as const;
      const calls = names.flatMap((name) => Array.from({ length: 20 }, () => new Call(lanes.query(name))));
      await turn();
      const { light, short, heavy } = lanes.figures;
      assert.deepEqual({ light: light.running, short: short.running, heavy: heavy.running }, atOnce, String(size));
      for (const call of calls) {
        await holds(() => call.running);
        call.end();
        await call.result;
      }
    }
  });
});
