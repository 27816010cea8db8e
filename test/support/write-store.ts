import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '../../src/catalog/index.ts';
import { Engine } from '../../src/duckdb/index.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { systemTimers } from '../../src/shared/timers.ts';
import {
  type BucketStore,
  DirectoryObjectStore,
  Fence,
  type FileSystem,
  LocalFiles,
  openStore,
  type Store,
} from '../../src/storage/index.ts';
import { tableScanSql } from '../../src/write/scan/index.ts';
import { WriteStore, type WriteStoreOptions } from '../../src/write/write-store.ts';
import { engineNames, readRows } from './engine.ts';
import type { TestRow } from './model-table.ts';

export const CHUNK_NS = 600_000_000_000n;

async function directoryStore(directory: string, wrap: (fs: FileSystem) => FileSystem): Promise<Store> {
  const opened = await openStore({ kind: 'file', dataDir: directory, nodeId: 'n1' });
  const fs = wrap(opened.fs);
  return { ...opened, fs, objects: new DirectoryObjectStore(fs, opened.root), files: new LocalFiles(fs, opened.root) };
}

function bucketStore(directory: string, bucket: BucketStore): Promise<Store> {
  const cache = { cacheDir: directory, cacheBytesMax: 1 << 30 };
  return openStore({ kind: 'bucket', nodeId: 'n1', open: async () => bucket, ...cache, log: silentLogger });
}

/** As a server does: whoever ran before can change the catalog no more. */
async function claimedCatalog(store: Store): Promise<Catalog> {
  for (;;) {
    const fence = new Fence();
    try {
      const shared = { fence, timers: systemTimers };
      const options = { objects: store.objects, clock: systemClock, randomUuid: randomUUID, log: silentLogger };
      const catalog = await Catalog.open({ ...options, shared, changesPerSnapshot: 10 });
      await catalog.registerNode({ nodeId: 'n1', cores: 1, processUuid: randomUUID(), cliParams: '{}' });
      fence.onLost((reason) => store.fence.end(reason));
      return catalog;
    } catch (error) {
      if (fence.reason === undefined) throw error;
    }
  }
}

/** The write side of a server on a directory of its own, without HTTP. */
export class TestWriteStore {
  readonly directory: string;
  readonly catalog: Catalog;
  readonly writes: WriteStore;
  readonly engine: Engine;
  readonly #store: Store;

  private constructor(directory: string, store: Store, catalog: Catalog, engine: Engine, writes: WriteStore) {
    this.directory = directory;
    this.#store = store;
    this.catalog = catalog;
    this.engine = engine;
    this.writes = writes;
  }

  static async open(
    directory: string,
    overrides: Partial<WriteStoreOptions> = {},
    wrap: (fs: FileSystem) => FileSystem = (fs) => fs,
    wrapEngine: (engine: Engine) => Engine = (engine) => engine,
    bucket?: BucketStore,
  ): Promise<TestWriteStore> {
    const clock = overrides.clock ?? systemClock;
    const store = await (bucket === undefined ? directoryStore(directory, wrap) : bucketStore(directory, bucket));
    const catalog = await (store.bucket === undefined
      ? Catalog.open({ objects: store.objects, clock, randomUuid: randomUUID, log: silentLogger })
      : claimedCatalog(store));
    const realEngine = await Engine.open({
      threads: 2,
      memoryLimitBytes: 512 * 1024 * 1024,
      tempDirectory: join(directory, 'spill'),
      allowedDirectories: [directory],
      setupStatements: [],
    });
    const engine = wrapEngine(realEngine);
    const writes = await WriteStore.open({
      store,
      catalog,
      engine: async () => engine,
      clock,
      log: silentLogger,
      nodeId: 'n1',
      chunkDurationNs: CHUNK_NS,
      wal: {
        flushIntervalMs: 1_000_000,
        filesPerSnapshot: 600,
        maxBufferedWrites: 100_000,
        snapshottedFilesToKeep: 0,
        replayFailOnError: false,
      },
      forceSnapshotBytes: 1 << 30,
      checkBatches: true,
      ...overrides,
    });
    return new TestWriteStore(directory, store, catalog, engine, writes);
  }

  async write(database: string, lines: string): Promise<void> {
    await this.writes.write({ database, body: Buffer.from(lines), precision: 'nanosecond', acceptPartial: false, noSync: false });
  }

  /** All rows of a table, through the same scan that queries use. */
  async rows(database: string, name: string): Promise<TestRow[]> {
    const table = this.writes.table(database, name);
    if (table === undefined) return [];
    const snapshot = await this.writes.snapshot(table, undefined, undefined);
    try {
      const source = tableScanSql({
        table,
        columns: table.columns.map((column, i) => ({ column, as: engineNames(table)[i] as string })),
        files: snapshot.files,
        buffer: snapshot.buffer,
        chunkDurationNs: CHUNK_NS,
        minTimeNs: undefined,
        maxTimeNs: undefined,
        cutoffNs: snapshot.cutoffNs,
      });
      return await readRows(this.engine, source, table);
    } finally {
      snapshot.release();
    }
  }

  async stop(): Promise<void> {
    await this.writes.stop();
    await this.catalog.close();
    this.engine.close();
    await this.#store.close();
  }

  /** What a crash would leave: a copy of the directory as it is now, opened as a new store. */
  async crashed(t: { after(fn: () => Promise<void>): void }, overrides: Partial<WriteStoreOptions> = {}): Promise<TestWriteStore> {
    return TestWriteStore.crashedAt(t, this.directory, overrides);
  }

  /** The same for a directory whose store never got as far as being open. */
  static async crashedAt(
    t: { after(fn: () => Promise<void>): void },
    directory: string,
    overrides: Partial<WriteStoreOptions> = {},
  ): Promise<TestWriteStore> {
    return TestWriteStore.open(await TestWriteStore.copyOf(t, directory), overrides);
  }

  /** What a crash would leave of a directory, in a new one. */
  static async copyOf(t: { after(fn: () => Promise<void>): void }, directory: string): Promise<string> {
    const copy = await temporaryDirectory(t);
    // The file index is rewritten in the background: its temporary file may go while it is copied.
    const left = ['.lock', 'spill', 'index.tmp'];
    await cp(directory, copy, { recursive: true, filter: (path) => !left.some((part) => path.includes(part)) });
    return copy;
  }
}

export async function temporaryDirectory(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'influxdb3-store-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}
