import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { bucketBackups, checkBackups, takeBackup } from '../../../src/backup/index.ts';
import { contentKey, decodeManifest } from '../../../src/backup/manifest.ts';
import { CATALOG_SNAPSHOT_KEY } from '../../../src/catalog/index.ts';
import { nextTurn } from '../../../src/shared/timers.ts';
import type { PutCondition } from '../../../src/storage/index.ts';
import { BucketClock, MomentSource, momentOf, type TestMoment } from '../../support/backup-moments.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

/** More of both by hand. */
const SEEDS = Number(process.env['BACKUP_SEEDS'] ?? 4);
const FIRST_SEED = Number(process.env['BACKUP_SEED'] ?? 1);
const CLIENTS = 3;
const BACKUPS_EACH = 5;

/** Another client of a bucket, each of whose operations takes its time, some of them very long. */
class SlowBucket extends MemoryObjectStore {
  readonly #pause: () => Promise<void>;
  readonly #changed: () => void;

  constructor(beside: MemoryObjectStore, pause: () => Promise<void>, changed: () => void) {
    super(beside);
    this.#pause = pause;
    this.#changed = changed;
  }

  override put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void> {
    return this.#slowly(() => super.put(key, bytes, condition), this.#changed);
  }

  override get(key: string): Promise<Uint8Array> {
    return this.#slowly(() => super.get(key));
  }

  override async *list(prefix: string, startAfter?: string): AsyncGenerator<string> {
    const keys = await this.#slowly(async () => [...this.all.keys()].filter((key) => key.startsWith(prefix) && key > (startAfter ?? '')));
    yield* keys.sort();
  }

  override async *entries(prefix: string): AsyncGenerator<{ key: string; sizeBytes: number; modifiedMs: number | undefined }> {
    yield* await this.#slowly(async () =>
      [...this.all]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, bytes]) => ({ key, sizeBytes: bytes.byteLength, modifiedMs: this.modifiedMs(key) })),
    );
  }

  override async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#slowly(() => super.delete([key]), this.#changed);
  }

  async #slowly<T>(operation: () => Promise<T>, changed: () => void = () => undefined): Promise<T> {
    await this.#pause();
    const result = await operation();
    changed();
    await this.#pause();
    return result;
  }
}

/** Contents that come back. */
const CONTENTS = Array.from({ length: 8 }, () => randomBytes(100));

/** Files of a node that come and go, some of them the same for a long time. */
class ChangingNode {
  readonly #base: TestMoment;
  readonly #random: () => number;
  #files = new Map<string, Uint8Array>();
  #made = 0;

  constructor(base: TestMoment, random: () => number) {
    this.#base = base;
    this.#random = random;
  }

  next(takenAt: string): TestMoment {
    for (const path of [...this.#files.keys()]) if (this.#random() < 0.3) this.#files.delete(path);
    while (this.#files.size < 3) {
      const bytes = CONTENTS[Math.floor(this.#random() * CONTENTS.length)] ?? new Uint8Array(0);
      this.#files.set(`dbs/${++this.#made}.parquet`, bytes);
    }
    const catalog = this.#base.files.get(CATALOG_SNAPSHOT_KEY) ?? new Uint8Array(0);
    const files = new Map([...this.#files, [CATALOG_SNAPSHOT_KEY, catalog] as const]);
    const offered = [...files].map(([path, bytes]) => ({
      path,
      sizeBytes: bytes.byteLength,
      crc32: path.endsWith('.parquet') ? crc32(bytes) : undefined,
    }));
    return { offered: { ...this.#base.offered, takenAt, files: offered }, files };
  }
}

/** Every manifest that is there names contents that are there, at each moment. */
function expectWhole(bucket: MemoryObjectStore, what: string): void {
  for (const [key, bytes] of bucket.all) {
    if (!key.startsWith('backups/')) continue;
    const manifest = decodeManifest(bytes, key);
    if ('givenUp' in manifest) continue;
    for (const file of manifest.files)
      assert.ok(bucket.all.has(contentKey(file)), `${what}: ${key} lacks ${file.path}, ${contentKey(file)}`);
  }
}

test('backups into one bucket at once, that are slow, taken for dead, and remove old ones: each that is listed is whole all the time', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  await store.write('db', 'm v=1 1');
  const base = await momentOf(store);
  await store.stop();
  const count = { complete: 0, givenUp: 0, removed: 0, waited: 0, reused: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    let state = seed * 7919;
    const random = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const [clock, times] = [new BucketClock(), new FakeTime()];
    const shared = clock.watch(new MemoryObjectStore());
    const node = new ChangingNode(base, random);
    let moments = 0;
    const pauseFor = (turnsMax: number) => async (): Promise<void> => {
      for (let turns = Math.floor(random() * random() * turnsMax); turns > 0; turns--) await nextTurn();
      const passed = random() < 0.03 ? 400_000 : 1_000;
      clock.nowMs += passed;
      times.pass(passed);
    };
    const client = async (id: number): Promise<void> => {
      for (let n = 0; n < BACKUPS_EACH; n++) {
        const changed = (): void => expectWhole(shared, `seed ${seed}`);
        const bucket = clock.watch(new SlowBucket(shared, pauseFor(random() < 0.3 ? 60 : 4), changed));
        const source = new MomentSource(node.next(`2026-01-01T00:${String(++moments).padStart(2, '0')}:00.000Z`));
        try {
          const { copiedFiles, manifest, removed } = await takeBackup(source, bucketBackups(bucket), { keep: 1 + (id % 2), timers: times });
          count.complete++;
          if (copiedFiles < manifest.files.length) count.reused++;
          if (removed instanceof Error) throw removed;
          if (removed?.files !== 0) count.removed++;
          if (removed?.waitsFor.length !== 0) count.waited++;
        } catch (error) {
          assert.match(String(error), /stood still for so long|went, or changed, during the backup/, `seed ${seed}`);
          count.givenUp++;
        }
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, id) => client(id)));
    assert.deepEqual((await checkBackups(bucketBackups(shared))).faults, [], `seed ${seed}`);
  }
  t.diagnostic(JSON.stringify(count));
  for (const [what, times] of Object.entries(count)) assert.ok(times > 0, `${what} never happened`);
});
