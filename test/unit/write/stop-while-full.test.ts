import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileSystem } from '../../../src/storage/index.ts';
import { until } from '../../support/until.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

/** A disk that has no room for Parquet files. */
function withoutRoomForFiles(fs: FileSystem, refused: () => void): FileSystem {
  const syncDirectory = async (path: string): Promise<void> => {
    if (!path.includes('dbs')) return fs.syncDirectory(path);
    refused();
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };
  return new Proxy(fs, {
    get: (target, name) => {
      if (name === 'syncDirectory') return syncDirectory;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function lines(first: number): string {
  return Array.from({ length: 2_000 }, (_, i) => `m,k=k${i % 7} v=${first + i}i ${first + i}`).join('\n');
}

test('a write that waits for room in the buffer goes on when the server begins to stop, and is there after the next start', async (t) => {
  let refusals = 0;
  const store = await TestWriteStore.open(await temporaryDirectory(t), { forceSnapshotBytes: 64 * 1024, retryPauseMs: 60_000 }, (fs) =>
    withoutRoomForFiles(fs, () => refusals++),
  );
  let acknowledged = 0;
  const write = async (i: number): Promise<void> => {
    await store.write('db', lines(i * 2_000));
    acknowledged++;
  };
  const writers: Promise<void>[] = [];
  /** Never ends before files were refused: a write that is only slow does not wait for room. */
  const waiting = async (): Promise<void> => {
    await until(() => refusals > 0);
    await delay(1_000);
  };
  try {
    while (acknowledged === writers.length && writers.length < 60) {
      writers.push(write(writers.length));
      await Promise.race([writers.at(-1), waiting()]);
    }
    assert.ok(acknowledged < writers.length, 'no write waits');
    await until(async () => (refusals > 0 ? true : undefined));
    store.writes.beginStop();
    await Promise.all(writers);
  } finally {
    await store.stop();
  }
  const next = await store.crashed(t);
  assert.equal((await next.rows('db', 'm')).length, writers.length * 2_000);
  await next.stop();
});
