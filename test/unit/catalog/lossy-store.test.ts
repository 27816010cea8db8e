import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Catalog } from '../../../src/catalog/index.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { countingUuids, FixedClock } from './catalog-fixture.ts';

test('a store that loses requests and answers has exactly the changes that were acknowledged', async () => {
  const objects = new MemoryObjectStore();
  const open = (): Promise<Catalog> =>
    Catalog.open({ objects, clock: new FixedClock(), randomUuid: countingUuids(), log: silentLogger, changesPerSnapshot: 7 });
  const acknowledged: string[] = [];
  let catalog = await open();
  let puts = 0;
  for (let n = 0; n < 120; n++) {
    objects.lost = () => [undefined, 'request', undefined, 'answer', undefined][puts++ % 5] as 'request' | 'answer' | undefined;
    try {
      await catalog.createDatabase(`db${n}`);
      acknowledged.push(`db${n}`);
    } catch (error) {
      assert.equal((error as { code: string }).code, 'CATALOG_WRITE_FAILED');
    }
    if (n % 30 !== 29) continue;
    objects.lost = () => undefined;
    await catalog.close();
    catalog = await open();
    const found = [...catalog.databases()].map(({ name }) => name).filter((name) => name !== '_internal');
    assert.deepEqual(found, acknowledged);
  }
  assert.ok(acknowledged.length > 40 && acknowledged.length < 110, `${acknowledged.length} of 120`);
});
