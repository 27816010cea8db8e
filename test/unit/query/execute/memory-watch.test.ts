import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryWatch } from '../../../../src/query/execute/memory-watch.ts';

async function until(probe: () => boolean): Promise<void> {
  while (!probe()) await new Promise((done) => setTimeout(done, 5));
}

describe('memory watch', () => {
  it('ends the query that has run longest, and only that one at first', async () => {
    let resident = 0;
    const watch = new MemoryWatch({ limitBytes: 100, residentBytes: () => resident });
    const ended: string[] = [];
    const old = watch.watch(() => ended.push('old'));
    const young = watch.watch(() => ended.push('young'));
    resident = 100;
    await until(() => ended.length > 0);
    assert.deepEqual(ended, ['old']);
    assert.equal(old.exceeded, true);
    assert.equal(young.exceeded, false);
    old.done();
    await until(() => ended.length > 1);
    assert.deepEqual(ended, ['old', 'young']);
    young.done();
  });

  it('does not look when no query runs', async () => {
    let looks = 0;
    const watch = new MemoryWatch({
      limitBytes: 100,
      residentBytes: () => {
        looks++;
        return 0;
      },
    });
    const query = watch.watch(() => assert.fail('within the limit'));
    await until(() => looks > 1);
    query.done();
    await new Promise((done) => setTimeout(done, 60));
    const seen = looks;
    await new Promise((done) => setTimeout(done, 60));
    assert.equal(looks, seen);
    assert.equal(query.exceeded, false);
  });
});
