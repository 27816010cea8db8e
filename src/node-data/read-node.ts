import { type NodeRecord, readCatalog } from '../catalog/index.ts';
import { silentLogger } from '../shared/logger.ts';
import { ObjectStoreError, readOnly } from '../storage/index.ts';
import { type IndexState, type LiveFile, loadIndex, pendingPaths } from '../write/file-index/index.ts';
import { NodeDataError } from './errors.ts';
import type { NodePlace } from './node-place.ts';

/** What catalog and snapshot infos of a node say. */
export interface NodeFacts {
  readonly catalogUuid: string;
  /** The node's own entry in its catalog; undefined = it never started. */
  readonly node: NodeRecord | undefined;
  /** Live Parquet files by their path below the node's prefix. */
  readonly files: ReadonlyMap<string, LiveFile>;
  /** Paths of files that the server is about to write, or to delete. */
  readonly pending: ReadonlySet<string>;
  readonly state: IndexState;
  /** Why the list of live files may lack some; undefined = it is whole. */
  readonly doubt: string | undefined;
}

/** Attempts, when a running server replaces what is being read. */
const ATTEMPTS_MAX = 5;

/**
 * Reads catalog and snapshot infos without changing anything; undefined = there is no catalog. Safe beside a running server:
 * what is neither live nor pending in the answer, and was there before the call, will never be live.
 */
export async function readNode(place: NodePlace): Promise<NodeFacts | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(place);
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND' && attempt < ATTEMPTS_MAX) continue;
      throw new NodeDataError(`${place.text} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }
}

async function readOnce({ nodeId, objects, prefix }: NodePlace): Promise<NodeFacts | undefined> {
  const looked = readOnly(objects);
  const catalog = await readCatalog(looked);
  if (catalog === undefined) return undefined;
  // In this order: a file is pending until an info has it, so it is in one of the two.
  const pending = new Set(await pendingPaths(looked));
  const { index, lost, movedAside, state } = await loadIndex({ objects: looked, uuid: catalog.uuid, log: silentLogger, shared: true });
  const files = new Map<string, LiveFile>();
  for (const table of index.tables()) for (const file of table.files) files.set(file.path.slice(prefix.length + 1), file);
  const doubtful = lost[0]?.path ?? movedAside[0];
  return {
    catalogUuid: catalog.uuid,
    node: catalog.nodes.find((node) => node.nodeId === nodeId),
    files,
    pending,
    state,
    doubt: doubtful === undefined ? undefined : `snapshot info ${doubtful} is missing or damaged`,
  };
}
