import { dirname } from 'node:path/posix';
import { StorageStartupError } from './errors.ts';
import { type ObjectStore, ObjectStoreError } from './objects/index.ts';

/** Of the object that stands in a node's place while data is copied there. */
export const COPY_MARK_KEY = 'copy.json';

/** Throws `StorageStartupError` when a copy to the place has not ended: what is there is only a part of a node. */
export async function refuseUnfinishedCopy(objects: ObjectStore): Promise<void> {
  try {
    await objects.head(COPY_MARK_KEY);
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return;
    throw error;
  }
  throw new StorageStartupError(
    'COPY_UNFINISHED',
    `'${dirname(objects.locate(COPY_MARK_KEY))}' holds a part of a node: a copy to there has not ended; run 'influxdb3 copy' again, it goes on where it was`,
  );
}
