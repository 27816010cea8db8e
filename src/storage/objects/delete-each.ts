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

/** Runs an operation for each item, `atOnce` at the same time. Rejects with the first failure; then no other one begins. */
async function inParallel<T>(items: readonly T[], atOnce: number, operation: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    try {
      while (next < items.length) await operation(items[next++] as T);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
