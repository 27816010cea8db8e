import { randomUUID } from 'node:crypto';
import { Catalog, type NodeRecord } from '../catalog/index.ts';
import { systemClock } from '../shared/clock.ts';
import { silentLogger } from '../shared/logger.ts';
import { systemTimers } from '../shared/timers.ts';
import { type BucketStore, Fence, ObjectStoreError } from '../storage/index.ts';
import { knownCatalogSequence } from '../write/file-index/index.ts';
import { claimAndLoad } from '../write/recovery/index.ts';
import { WalBucket } from '../write/wal/index.ts';
import { NodeDataError } from './errors.ts';

/** How often the catalog is loaded again because the server changed it meanwhile. */
const ATTEMPTS_MAX = 20;

/**
 * Ends the server of a node in a bucket, dead or alive, as another one with its id would: it can store nothing from then on, and
 * what it acknowledged is there. Then the catalog says that the node has stopped. Throws `NodeDataError`.
 */
export async function takeOverNode(bucket: BucketStore, node: NodeRecord): Promise<void> {
  try {
    await claimAll(bucket, node);
  } catch (error) {
    if (error instanceof ObjectStoreError) throw error;
    throw new NodeDataError(`node ${node.nodeId} could not be taken over: ${(error as Error).message}`, { cause: error });
  }
}

async function claimAll(bucket: BucketStore, node: NodeRecord): Promise<void> {
  const fence = new Fence();
  const shared = { log: silentLogger, timers: systemTimers, fence };
  const catalog = await claimedCatalog(bucket, node);
  const wal = new WalBucket({ ...shared, bucket, uuid: catalog.uuid });
  const files = await claimAndLoad(wal, {
    ...shared,
    store: { objects: bucket, fence, bucket },
    catalog,
    nodeId: node.nodeId,
    wal: { replayFailOnError: false },
  });
  await files.close();
  await catalog.stopNode(node.nodeId);
  await catalog.close();
}

async function claimedCatalog(objects: BucketStore, { cliParams, cores, nodeId }: NodeRecord): Promise<Catalog> {
  for (let attempt = 1; ; attempt++) {
    const fence = new Fence();
    try {
      const knownSequence = await knownCatalogSequence({ objects });
      const shared = { fence, timers: systemTimers };
      const options = { objects, clock: systemClock, randomUuid: randomUUID, log: silentLogger, knownSequence, shared };
      const catalog = await Catalog.open(options);
      await catalog.registerNode({ nodeId, cores, processUuid: randomUUID(), cliParams });
      return catalog;
    } catch (error) {
      if (fence.reason === undefined || attempt >= ATTEMPTS_MAX) throw error;
    }
  }
}
