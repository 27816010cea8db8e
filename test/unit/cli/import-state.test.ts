import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { ImportState } from '../../../src/cli/import/state.ts';
import { temporaryDirectory } from '../storage/temp-directory.ts';

test('marks of requests that are answered while another mark is written harm nothing, and none is left behind', async (t) => {
  const directory = await temporaryDirectory(t);
  let nowMs = 0;
  const clock = { monotonicMs: () => (nowMs += 1000) };
  const state = new ImportState(directory, 'all of it', clock);
  const mark = (position: number): Parameters<typeof state.save>[0] => ({ position, rowsStored: position, badRows: 0 });
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 8 }, (_, i) => state.save(mark(round * 8 + i))));
    assert.deepEqual(await state.read(), { ...mark(round * 8) });
  }
  await state.save(mark(1000));
  assert.deepEqual(await new ImportState(directory, 'all of it', clock).read(), mark(1000));
  assert.equal(await new ImportState(directory, 'something else', clock).read(), undefined);
  const saving = state.save(mark(1001));
  await state.remove();
  await saving;
  assert.deepEqual(readdirSync(directory), []);
});
