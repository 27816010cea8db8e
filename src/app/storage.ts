import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { bucketOf } from '../bucket/index.ts';
import type { ValueCaches } from '../caches/index.ts';
import { Catalog, INTERNAL_DATABASE, type NodeRecord } from '../catalog/index.ts';
import type { ServeConfig } from '../config/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { StartupError } from '../shared/startup-error.ts';
import { systemTimers } from '../shared/timers.ts';
import { Fence, nodesInDirectory, openStore, type Store } from '../storage/index.ts';
import { usableCores } from '../telemetry/index.ts';
import { knownCatalogSequence, ReopeningStore } from '../write/index.ts';
import { engineMemoryBytes, engineThreads, memoryBudget, totalMemoryBytes } from './budget.ts';
import { openCaches } from './caches.ts';
import { LazyEngine } from './lazy-engine.ts';

/** What a stop waits for a bucket; log and catalog give their own requests up before that. */
const STOP_TIME_MAX_MS = 15_000;

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
  const store = await openStore(storeOptions(config, clock, logger));
  try {
    const opened = await openCatalog(config, { store, clock, logger, processUuid });
    const { catalog, firstStart, node } = opened;
    const isEmpty = [...catalog.databases()].every(({ name }) => name === INTERNAL_DATABASE);
    const otherNodes =
      firstStart && isEmpty && config.store.dataDir !== undefined ? await nodesInDirectory(config.store.dataDir, config.node.id) : [];
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
      // Whatever still waits for a bucket that does not answer fails then; what was acknowledged is in it.
      const cancel = systemTimers.after(STOP_TIME_MAX_MS, () => store.bucket?.store.close(), 'keepsAlive');
      try {
        caches.stop();
        await writes.stop();
        await engine.close();
        await stopNode(config, store, catalog, logger);
        await catalog.close();
        await store.close();
      } finally {
        cancel();
      }
    };
    return { store, catalog, node, firstStart, otherNodes, engine, writes, caches, temporaryDirectory, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface CatalogParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly processUuid: string;
}

/** How often a catalog is loaded again because another process changed it meanwhile. */
const CATALOG_ATTEMPTS_MAX = 20;

/**
 * Loads the catalog and registers this node in it. In a store that others can reach, the change that registers it is what ends
 * the catalog of a process that ran before: it can change nothing from then on, and everything that it changed was loaded.
 */
async function openCatalog(config: ServeConfig, { store, clock, logger, processUuid }: CatalogParts) {
  for (let attempt = 1; ; attempt++) {
    const fence = new Fence();
    try {
      const catalog = await Catalog.open({
        objects: store.objects,
        clock,
        randomUuid: randomUUID,
        log: logger.child('influxdb3_catalog'),
        limits: config.limits,
        knownSequence: await knownCatalogSequence(store), // before anything adds to the catalog
        shared: store.bucket && { fence, timers: systemTimers },
      });
      const firstStart = [...catalog.nodes()].length === 0;
      const node = await catalog.registerNode({ nodeId: config.node.id, cores: usableCores(), processUuid, cliParams: config.cliParams });
      fence.onLost((reason) => store.fence.end(reason));
      return { catalog, firstStart, node };
    } catch (error) {
      if (fence.reason === undefined || attempt >= CATALOG_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Notes in the catalog that the node stopped. A store that does not answer, or belongs to another process, must not keep a server from stopping. */
async function stopNode(config: ServeConfig, store: Store, catalog: Catalog, logger: Logger): Promise<void> {
  if (store.fence.reason !== undefined) return;
  try {
    await catalog.stopNode(config.node.id);
  } catch (error) {
    if (store.bucket === undefined) throw error;
    logger.warn('the stop of the node could not be noted in the catalog', { error: String(error) });
  }
}

function storeOptions(config: ServeConfig, clock: Clock, logger: Logger): Parameters<typeof openStore>[0] {
  const { cacheBytes, cacheDir, dataDir, kind } = config.store;
  const nodeId = config.node.id;
  if (kind === 'memory') return { kind, nodeId };
  if (kind === 'file' && dataDir !== undefined) return { kind, dataDir, nodeId };
  const open = bucketOf(config, clock);
  if (open !== undefined)
    return { kind: 'bucket', nodeId, open, cacheDir, cacheBytesMax: cacheBytes, log: logger.child('influxdb3_object_store') };
  throw new StartupError(`Serve command failed: Cannot parse object store config: ${kind} is not supported by this build`);
}
