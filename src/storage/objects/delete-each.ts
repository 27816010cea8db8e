import { inParallel } from '../../shared/in-parallel.ts';
import { ObjectStoreError } from './object-store.ts';

/** Requests that delete objects, at the same time. */
const DELETES_AT_ONCE = 16;

/** Deletes objects with a request for each; one that is not there is deleted. Rejects with the first failure. */
export function deleteEach(keys: readonly string[], deleteOne: (key: string) => Promise<unknown>): Promise<void> {
  return inParallel(keys, DELETES_AT_ONCE, async (key) => {
    try {
      await deleteOne(key);
    } catch (error) {
      if (!(error instanceof ObjectStoreError && error.code === 'NOT_FOUND')) throw error;
    }
  });
}
