import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryWatch, nativeBytesMax, type WatchedQuery } from '../../../../src/query/execute/memory-watch.ts';
import { deferred } from '../../../support/deferred.ts';
import { until } from '../../../support/until.ts';

const MB = 1024 * 1024;
const POOL = 100 * MB;

/** A call of DuckDB that the test ends. */
function call(query: WatchedQuery): { end: () => void; ended: Promise<void> } {
  const running = deferred();
  return { end: () => running.resolve(), ended: query.during(() => running.promise) };
}

/** A watch over a process whose size the test sets. */
class Process {
  resident = 200 * MB;
  script = 50 * MB;
  looks = 0;
  readonly ended: string[] = [];
  readonly watch: MemoryWatch;

  constructor(limitBytes = Number.POSITIVE_INFINITY) {
    this.watch = new MemoryWatch({
      limitBytes,
      residentBytes: () => {
        this.looks++;
        return this.resident;
      },
      scriptBytes: () => this.script,
    });
  }

  query(name: string): WatchedQuery {
    return this.watch.watch(() => {
      if (!this.ended.includes(name)) this.ended.push(name);
    }, POOL);
  }

  async looked(times = 2): Promise<void> {
    const until_ = this.looks + times;
    await until(() => this.looks >= until_);
  }
}

describe('memory watch', () => {
  it('ends the oldest query at the limit of the process when nothing tells them apart, and only that one at first', async () => {
    const process = new Process(300 * MB);
    const old = process.query('old');
    const young = process.query('young');
    process.resident = 300 * MB;
    await until(() => process.ended.length > 0);
    assert.deepEqual([process.ended, old.exceeded, young.exceeded], [['old'], true, false]);
    await assert.rejects(
      old.during(async () => assert.fail('it must not begin another call')),
      /was ended/,
    );
    old.done();
    await until(() => process.ended.length > 1);
    assert.deepEqual(process.ended, ['old', 'young']);
    young.done();
  });

  it('ends the query that the process grew with, not those that came or idled meanwhile', async () => {
    const process = new Process();
    const idle = process.query('idle');
    const before = process.query('before');
    const beforeCall = call(before);
    await process.looked();
    beforeCall.end();
    await beforeCall.ended;
    const greedy = process.query('greedy');
    const greedyCall = call(greedy);
    await process.looked();
    process.resident += 200 * MB;
    await process.looked();
    const late = process.query('late');
    const lateCall = call(late);
    process.resident = nativeBytesMax(POOL) + process.script;
    await until(() => process.ended.length > 0);
    assert.deepEqual(process.ended, ['greedy']);
    for (const { end } of [greedyCall, lateCall]) end();
    for (const query of [idle, before, greedy, late]) query.done();
  });

  it('blames nobody for what JavaScript grows, nor for what was there before', async () => {
    const process = new Process();
    process.resident = nativeBytesMax(POOL) + process.script;
    const query = process.query('query');
    const running = call(query);
    await process.looked();
    process.resident += 2_000 * MB;
    process.script += 2_000 * MB;
    await process.looked(4);
    assert.deepEqual(process.ended, []);
    running.end();
    query.done();
  });

  it('leaves those alone that come while the memory of an ended one is not back yet', async () => {
    const process = new Process();
    const greedy = process.query('greedy');
    const greedyCall = call(greedy);
    await process.looked();
    process.resident += 3_000 * MB;
    await until(() => process.ended.length > 0);
    greedyCall.end();
    greedy.done();
    const modest = process.query('modest');
    const modestCall = call(modest);
    await process.looked();
    process.resident += 100 * MB;
    await process.looked(25);
    assert.deepEqual(process.ended, ['greedy']);
    process.resident += 3_000 * MB;
    await until(() => process.ended.length > 1);
    assert.deepEqual(process.ended, ['greedy', 'modest']);
    modestCall.end();
    modest.done();
  });

  it('does not look when no query runs', async () => {
    const process = new Process();
    const query = process.query('query');
    await process.looked();
    query.done();
    await new Promise((done) => setTimeout(done, 60));
    const seen = process.looks;
    await new Promise((done) => setTimeout(done, 60));
    assert.equal(process.looks, seen);
    assert.equal(query.exceeded, false);
  });
});
