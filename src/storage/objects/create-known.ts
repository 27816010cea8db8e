import { type ObjectStore, ObjectStoreError } from './object-store.ts';

export interface CreateKnownOptions {
  /** Whether the object that is there under the key is the one that was put. */
  readonly isOurs: (objects: ObjectStore) => Promise<boolean>;
  /** Waits before the next attempt, from 0; rejects to give up. Then nobody knows whether the object is there, or will be. */
  readonly pause: (attempt: number, error: unknown) => Promise<void>;
}

/**
 * Creates an object and resolves when it is known what the key holds: `created` = these bytes, `taken` = those of somebody
 * else. An answer that was lost, and a request that arrives twice, are told apart from a rival by what is there.
 */
export async function createKnown(
  objects: ObjectStore,
  key: string,
  bytes: Uint8Array,
  { isOurs, pause }: CreateKnownOptions,
): Promise<'created' | 'taken'> {
  for (let attempt = 0; ; attempt++) {
    try {
      await objects.put(key, bytes, 'create');
      return 'created';
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error;
      try {
        // After UNAVAILABLE an object that is not there may still come: the same bytes are put again.
        if (error.code === 'EXISTS') return (await isOurs(objects)) ? 'created' : 'taken';
      } catch (unread) {
        if (!(unread instanceof ObjectStoreError)) throw unread;
        if (unread.code === 'NOT_FOUND') return 'taken'; // only a rival removes what was there a moment ago
      }
      await pause(attempt, error);
    }
  }
}

/** `isOurs` for objects that no other process would write byte for byte. */
export function sameBytes(key: string, bytes: Uint8Array): CreateKnownOptions['isOurs'] {
  return async (objects) => Buffer.compare(await objects.get(key), bytes) === 0;
}
