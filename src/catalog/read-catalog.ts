import { silentLogger } from '../shared/logger.ts';
import { systemTimers } from '../shared/timers.ts';
import { Fence, type ObjectStore } from '../storage/index.ts';
import { CatalogStore } from './catalog-store.ts';
import type { NodeRecord } from './definitions.ts';

/** What a catalog says to who only looks. */
export interface ReadCatalog {
  readonly uuid: string;
  readonly sequence: number;
  readonly nodes: readonly NodeRecord[];
}

/** Reads a catalog from objects that need not be writable; undefined = there is none. Throws `StorageStartupError` when it is damaged. */
export async function readCatalog(objects: ObjectStore): Promise<ReadCatalog | undefined> {
  // As in a store that others write to: what is damaged stays where it is.
  const store = new CatalogStore(objects, silentLogger, { fence: new Fence(), timers: systemTimers });
  const { sequence, state, uuid } = await store.load(0);
  return uuid === undefined ? undefined : { uuid, sequence, nodes: [...state.nodes.values()] };
}
