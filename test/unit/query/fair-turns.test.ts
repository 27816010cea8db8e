import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FairTurns } from '../../../src/query/fair-turns.ts';

describe('fair turns', () => {
  test('one task every second turn of the event loop, in their order; the first at once', async () => {
    const turns = new FairTurns();
    const begun: string[] = [];
    const tasks = ['a', 'b', 'c'].map((name) => turns.take().then(() => begun.push(name)));
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(begun, ['a']);
    await nextTurn();
    assert.deepEqual(begun, ['a']);
    await nextTurn();
    assert.deepEqual(begun, ['a', 'b']);
    await nextTurn();
    await nextTurn();
    assert.deepEqual(begun, ['a', 'b', 'c']);
    await Promise.all(tasks);
  });

  test('a turn that nobody wants is free again', async () => {
    const turns = new FairTurns();
    await turns.take();
    for (let i = 0; i < 3; i++) await nextTurn();
    let begun = false;
    void turns.take().then(() => {
      begun = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(begun, true);
  });
});
