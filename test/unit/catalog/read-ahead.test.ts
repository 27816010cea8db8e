import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Catalog } from '../../../src/catalog/index.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { nextTurn } from '../../../src/shared/timers.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { countingUuids, FixedClock } from './catalog-fixture.ts';

/** Counts reads that are under way at the same time. */
class CountedReads extends MemoryObjectStore {
  most = 0;
  #underWay = 0;

  override async get(key: string): Promise<Uint8Array> {
    this.#underWay++;
    this.most = Math.max(this.most, this.#underWay);
    await nextTurn();
    this.#underWay--;
    return super.get(key);
  }
}

test('a start asks for the next changes while earlier ones are on their way, and applies them in order', async () => {
  const objects = new CountedReads();
  const open = (): Promise<Catalog> =>
    Catalog.open({ objects, clock: new FixedClock(), randomUuid: countingUuids(), log: silentLogger, changesPerSnapshot: 1000 });
  const names = Array.from({ length: 5 }, (_, n) => `db${n}`);
  const catalog = await open();
  for (const name of names) await catalog.createDatabase(name);
  for (const name of names) for (let i = 0; i < 4; i++) await catalog.createTable(name, `t${i}`, { tags: ['k'], fields: [] });
  objects.most = 0;
  const again = await open();
  const found = [...again.databases()].filter(({ name }) => name !== '_internal');
  assert.deepEqual(
    found.map(({ name }) => name),
    names,
  );
  assert.equal(again.sequence, catalog.sequence);
  assert.ok(objects.most >= 4 && objects.most <= 8, `${objects.most} at once`);
});
