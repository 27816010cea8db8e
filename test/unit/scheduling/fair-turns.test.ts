import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FairTurns, type WritesAhead } from '../../../src/scheduling/fair-turns.ts';
import { WritesUnderWay } from '../../../src/scheduling/writes-under-way.ts';
import type { WriteOutcome, WriteRequest } from '../../../src/write/write-service.ts';

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

  test('a write under way goes first, and its answer leaves before the task begins', async () => {
    const writes = new PendingWrites();
    const turns = new FairTurns(patient(writes.underWay));
    const happened: string[] = [];
    const write = writes.begin().then(async () => {
      for (let i = 0; i < 20; i++) await Promise.resolve(); // the way from the log to the socket
      happened.push('answer');
    });
    const task = turns.take().then(() => happened.push('task'));
    for (let i = 0; i < 4; i++) await nextTurn();
    assert.deepEqual(happened, []);
    writes.end();
    await Promise.all([write, task]);
    assert.deepEqual(happened, ['answer', 'task']);
  });

  test('writes that never pass do not keep tasks waiting', async () => {
    const writes = new PendingWrites();
    const turns = new FairTurns(writes.underWay);
    void writes.begin();
    await Promise.all(Array.from({ length: 5 }, () => turns.take()));
    assert.equal(writes.underWay.any, true);
  });

  test('a piece that asks again waits behind the others', async () => {
    const turns = new FairTurns();
    const begun: string[] = [];
    const long = (async () => {
      for (const piece of ['long 1', 'long 2']) {
        await turns.take();
        begun.push(piece);
      }
    })();
    const short = turns.take().then(() => begun.push('short'));
    await Promise.all([long, short]);
    assert.deepEqual(begun, ['long 1', 'short', 'long 2']);
  });
});

describe('writes under way', () => {
  test('are those between their arrival and their end, however they end', async () => {
    let fail = false;
    const underWay = new WritesUnderWay({
      write: () => (fail ? Promise.reject(new Error('refused')) : Promise.resolve(OUTCOME)),
    });
    const request = { database: 'db', body: new Uint8Array(), precision: 'auto', acceptPartial: true, noSync: false } as const;
    assert.equal(underWay.any, false);
    await underWay.passed(1_000_000); // at once
    const write = underWay.write(request);
    assert.equal(underWay.any, true);
    const passed = underWay.passed(1_000_000);
    assert.deepEqual(await write, OUTCOME);
    await passed;
    assert.equal(underWay.any, false);
    fail = true;
    await assert.rejects(underWay.write(request), /refused/);
    assert.equal(underWay.any, false);
  });
});

const OUTCOME: WriteOutcome = { acceptedLines: 1, acceptedBytes: 1, lineErrors: [] };

/** The machine may be slow: waits for writes without an end. */
function patient(writes: WritesAhead): WritesAhead {
  return {
    get any() {
      return writes.any;
    },
    passed: () => writes.passed(1_000_000),
  };
}

/** Writes that last until they are told to end. */
class PendingWrites {
  readonly underWay = new WritesUnderWay<WriteRequest, WriteOutcome>({
    write: () => new Promise((resolve) => this.#ends.push(() => resolve(OUTCOME))),
  });
  readonly #ends: (() => void)[] = [];

  begin(): Promise<WriteOutcome> {
    return this.underWay.write({ database: 'db', body: new Uint8Array(), precision: 'auto', acceptPartial: true, noSync: false });
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
