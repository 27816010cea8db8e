import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../../src/shared/logger.ts';
import { Fence, invertedSequence } from '../../../../src/storage/index.ts';
import { FileIndexStore } from '../../../../src/write/file-index/file-index-store.ts';
import { loadIndex } from '../../../../src/write/file-index/load-index.ts';
import type { ParquetFileInfo } from '../../../../src/write/snapshot/index.ts';
import { MemoryObjectStore } from '../../../support/memory-object-store.ts';
import { until } from '../../../support/until.ts';

const UUID = '0123abcd-4567-4def-8123-456789abcdef';
const pause = async (): Promise<void> => undefined;

function file(id: number): ParquetFileInfo {
  const times = { chunkTimeNs: BigInt(id), minTimeNs: BigInt(id), maxTimeNs: BigInt(id) + 9n };
  return { databaseId: 1, tableId: 0, id, path: `n/dbs/1/0/${id}.parquet`, sizeBytes: id, rowCount: 1, ...times, mayOverlap: false };
}

function open(objects: MemoryObjectStore, fence = new Fence(), infosPerCheckpoint?: number): Promise<FileIndexStore> {
  return FileIndexStore.open({ objects, uuid: UUID, log: silentLogger, fence, infosPerCheckpoint, claim: { nodeId: 'n', pause } });
}

/** One file comes, and the one before it goes. */
async function change(store: FileIndexStore, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const id = store.takeFileIds(1);
    const removedFiles = [...store.index.tables()].flatMap(({ files }) => files).slice(0, -1);
    await store.commit(() => ({ nodeId: 'n', catalogSequence: 1, files: [file(id)], removedFiles }), { pause });
  }
}

function liveIds(store: { readonly index: FileIndexStore['index'] }): number[] {
  return [...store.index.tables()].flatMap(({ files }) => files.map(({ id }) => id)).sort((a, b) => a - b);
}

async function keys(objects: MemoryObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const key of objects.list(prefix)) found.push(key);
  return found;
}

async function claims(objects: MemoryObjectStore): Promise<number> {
  const infos = await Promise.all((await keys(objects, 'snapshots/')).map(async (key) => Buffer.from(await objects.get(key)).toString()));
  return infos.filter((text) => text.includes('"databases": []') && text.includes('"removed_files": []')).length;
}

/** Two lives, and as many changes that infos of the first must have gone. */
async function pruned(objects: MemoryObjectStore): Promise<{ readonly store: FileIndexStore; readonly oldIndex: Uint8Array }> {
  const first = await open(objects);
  await change(first, 150);
  await first.close();
  const oldIndex = await objects.get('files/index');
  const store = await open(objects);
  await change(store, 600);
  await store.saveIndex();
  await until(async () => (await keys(objects, 'snapshots/')).length < 450);
  return { store, oldIndex };
}

test('infos of a bucket that two checkpoints stand for go, claims stay, and the next start knows every file', async () => {
  const objects = new MemoryObjectStore();
  const { store } = await pruned(objects);
  await store.close();
  assert.equal(await claims(objects), 2);
  assert.equal((await keys(objects, 'checkpoints/')).length, 2);
  const next = await open(objects);
  assert.deepEqual(liveIds(next), liveIds(store));
  assert.deepEqual(next.lost, []);
  assert.equal(next.takeFileIds(1), store.takeFileIds(1));
  await next.close();
  // A directory that was copied from there misses none either.
  const asDirectory = await loadIndex({ objects, uuid: UUID, log: silentLogger });
  assert.deepEqual(asDirectory.lost, []);
});

test('an index that a frozen process puts back, none at all, and a damaged checkpoint cost no file', async () => {
  const objects = new MemoryObjectStore();
  const { oldIndex, store } = await pruned(objects);
  await store.close();
  const expected = liveIds(store);
  const damages = [
    () => objects.put('files/index', oldIndex, 'overwrite'),
    () => objects.delete(['files/index']),
    async () => objects.put((await keys(objects, 'checkpoints/'))[0] ?? '', Buffer.from('damaged'), 'overwrite'),
  ];
  for (const damage of damages) {
    await damage();
    const { index, lost } = await loadIndex({ objects, uuid: UUID, log: silentLogger, shared: true });
    assert.deepEqual(liveIds({ index }), expected);
    assert.deepEqual(lost, []);
  }
  const next = await open(objects);
  assert.deepEqual(liveIds(next), expected);
  await next.close();
});

test('a start that was frozen before its claim, whose number was used and pruned meanwhile, begins again', async () => {
  const objects = new MemoryObjectStore();
  const fence = new Fence();
  const running = await open(objects, fence);
  await change(running, 5);
  const frozen = new FrozenPut(objects);
  const starting = open(frozen, undefined, 1);
  await until(() => frozen.isFrozen);
  await change(running, 900);
  await running.saveIndex();
  await until(async () => (await keys(objects, 'snapshots/')).length < 500);
  const expected = liveIds(running);
  frozen.goOn();
  const started = await starting;
  assert.deepEqual(liveIds(started), expected, 'all that was committed before the claim');
  const stale = `checkpoints/${invertedSequence(running.index.sequence - 900 + 1)}.index`;
  assert.ok(!frozen.puts.includes(stale), 'no checkpoint of what was loaded in vain');
  await assert.rejects(change(running, 1), { name: 'TakenOver' });
  assert.notEqual(fence.reason, undefined);
  await started.close();
});

/** Holds the first put of an info back. */
class FrozenPut extends MemoryObjectStore {
  isFrozen = false;
  readonly puts: string[] = [];
  goOn: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => {
    this.goOn = resolve;
  });

  override async put(...args: Parameters<MemoryObjectStore['put']>): Promise<void> {
    if (args[0].startsWith('snapshots/') && !this.isFrozen) {
      this.isFrozen = true;
      await this.#released;
    }
    this.puts.push(args[0]);
    return super.put(...args);
  }
}
