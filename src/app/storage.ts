import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ValueCaches } from '../caches/index.ts';
import { Catalog, INTERNAL_DATABASE, type NodeRecord } from '../catalog/index.ts';
import type { ServeConfig } from '../config/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { StartupError } from '../shared/startup-error.ts';
import { nodesInDirectory, openStore, type Store } from '../storage/index.ts';
import { usableCores } from '../telemetry/index.ts';
import { knownCatalogSequence } from '../write/file-index/load-index.ts';
import { ReopeningStore } from '../write/reopening-store.ts';
import { engineMemoryBytes, engineThreads, memoryBudget, totalMemoryBytes } from './budget.ts';
import { openCaches } from './caches.ts';
import { LazyEngine } from './lazy-engine.ts';

/** The stateful parts of a server, opened in order and closed in reverse. */
export interface OpenStorage {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly node: NodeRecord;
  /** True when nothing was in the directory before. */
  readonly firstStart: boolean;
  /** At the first start of a node: ids of the other nodes that have data in the same directory. */
  readonly otherNodes: readonly string[];
  readonly engine: LazyEngine;
  readonly writes: ReopeningStore;
  readonly caches: ValueCaches;
  /** Where queries may put files; inside DuckDB's allowed directories. */
  readonly temporaryDirectory: string;
  close(): Promise<void>;
}

/** Locks the directory, loads the catalog, replays the log. Throws `StartupError`. */
export async function openStorage(config: ServeConfig, clock: Clock, logger: Logger, processUuid: string): Promise<OpenStorage> {
  const store = await openStore(storeOptions(config));
  try {
    const log = logger.child('influxdb3_catalog');
    const catalog = await Catalog.open({
      objects: store.objects,
      clock,
      randomUuid: randomUUID,
      log,
      limits: config.limits,
      knownSequence: await knownCatalogSequence(store), // before anything adds to the catalog
    });
    const firstStart = [...catalog.nodes()].length === 0;
    const isEmpty = [...catalog.databases()].every(({ name }) => name === INTERNAL_DATABASE);
    const otherNodes =
      firstStart && isEmpty && config.store.dataDir !== undefined ? await nodesInDirectory(config.store.dataDir, config.node.id) : [];
    const node = await catalog.registerNode({ nodeId: config.node.id, cores: usableCores(), processUuid, cliParams: config.cliParams });
    const chunkSecs = await catalog.ensureGen1Duration(config.wal.gen1DurationSecs);
    if (chunkSecs !== config.wal.gen1DurationSecs) {
      const fields = { existing_secs: chunkSecs, provided_secs: config.wal.gen1DurationSecs };
      logger.warn('cannot change the existing gen1 duration after it has been set', fields);
    }
    const temporaryDirectory = join(store.root, 'tmp');
    const budget = memoryBudget(config.query, totalMemoryBytes());
    const engine = new LazyEngine(
      {
        threads: engineThreads(config.query),
        tempDirectory: temporaryDirectory,
        allowedDirectories: [store.root],
      },
      async () => ({
        setupStatements: (await import('../query/sql/index.ts')).engineSetupStatements(),
        memoryLimitBytes: await engineMemoryBytes(budget),
      }),
    );
    const caches = openCaches(catalog, clock, logger);
    const writes = await ReopeningStore.open({
      store,
      catalog,
      engine,
      clock,
      log: logger.child('influxdb3_wal'),
      nodeId: config.node.id,
      chunkDurationNs: BigInt(chunkSecs) * 1_000_000_000n,
      wal: {
        flushIntervalMs: config.wal.flushIntervalMs,
        filesPerSnapshot: config.wal.snapshotSizeFiles,
        maxBufferedWrites: config.wal.maxBufferedWrites,
        snapshottedFilesToKeep: config.wal.snapshottedFilesToKeep,
        replayFailOnError: config.wal.replayFailOnError,
      },
      forceSnapshotBytes: budget.forceSnapshotBytes,
      checkBatches: config.wal.checkBatches,
      maintenance: { retentionCheckMs: config.retention.checkIntervalMs, deleteGraceMs: config.retention.deleteGraceMs },
      onApplied: (table, section, series) => caches.apply(table, section, series),
    });
    writes.onReopened(() => caches.refreshAll());
    const close = async (): Promise<void> => {
      caches.stop();
      await writes.stop();
      await engine.close();
      await catalog.stopNode(config.node.id);
      await catalog.close();
      await store.close();
    };
    return { store, catalog, node, firstStart, otherNodes, engine, writes, caches, temporaryDirectory, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function storeOptions(config: ServeConfig): Parameters<typeof openStore>[0] {
  const { kind, dataDir } = config.store;
  if (kind === 'memory') return { kind, nodeId: config.node.id };
  if (kind === 'file' && dataDir !== undefined) return { kind, dataDir, nodeId: config.node.id };
  throw new StartupError(`Serve command failed: Cannot parse object store config: ${kind} is not supported by this build`);
}
