import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { queryTurns, Turns } from '../../../src/scheduling/turns.ts';

describe('turns', () => {
  it('run so many tasks at the same time and no more, in the order in which they came, failures included', async () => {
    const turns = new Turns(2);
    const order: number[] = [];
    const ends: (() => void)[] = [];
    const task = (id: number) =>
      turns.take(async () => {
        order.push(id);
        await new Promise<void>((end) => ends.push(end));
        if (id === 0) throw new Error('failed');
        return id;
      });
    const all = Promise.allSettled([0, 1, 2, 3].map(task));
    await new Promise(setImmediate);
    assert.deepEqual(order, [0, 1]);
    ends.shift()?.();
    await new Promise(setImmediate);
    assert.deepEqual(order, [0, 1, 2]);
    while (order.length < 4 || ends.length > 0) {
      ends.shift()?.();
      await new Promise(setImmediate);
    }
    assert.deepEqual(
      (await all).map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
      ['failed', 1, 2, 3],
    );
    assert.equal(await Promise.race([turns.take(async () => 'free'), task(5)]), 'free');
    ends.shift()?.();
  });

  it('are left by tasks that are not wanted any more, which never run', async () => {
    const turns = new Turns(1);
    let end: () => void = () => undefined;
    const first = turns.take(
      () =>
        new Promise<void>((done) => {
          end = done;
        }),
    );
    const leaving = new AbortController();
    const ran: string[] = [];
    const second = turns.take(async () => ran.push('second'), leaving.signal);
    const third = turns.take(async () => ran.push('third'), new AbortController().signal);
    leaving.abort(new Error('gone'));
    await assert.rejects(second, { message: 'gone' });
    await assert.rejects(
      turns.take(async () => ran.push('late'), leaving.signal),
      { message: 'gone' },
    );
    end();
    await Promise.all([first, third]);
    assert.deepEqual(ran, ['third']);
  });

  it('leave threads of the pool to other work, and are never none', async () => {
    for (const [size, atOnce] of [
      [undefined, 2],
      ['1', 1],
      ['nonsense', 2],
      ['16', 14],
    ] as const) {
      const turns = queryTurns(size);
      let running = 0;
      const ends: (() => void)[] = [];
      const all = Array.from({ length: 20 }, () =>
        turns.take(() => {
          running++;
          return new Promise<void>((end) => ends.push(end));
        }),
      );
      await new Promise(setImmediate);
      assert.equal(running, atOnce, String(size));
      while (running < 20 || ends.length > 0) {
        ends.shift()?.();
        await new Promise(setImmediate);
      }
      await Promise.all(all);
    }
  });
});
