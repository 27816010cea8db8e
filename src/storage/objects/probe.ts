import { randomUUID } from 'node:crypto';
import { StartupError } from '../../shared/startup-error.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import { errorText } from '../errors.ts';
import { type ObjectStore, ObjectStoreError } from './object-store.ts';
import { pauseBefore } from './retries.ts';

/** Attempts of a put that fails as UNAVAILABLE. */
const ATTEMPTS_MAX = 6;

/**
 * Tries what a server does with a store: put, get, list and delete, and a second put of a key that is taken, which must be
 * refused. Throws `StartupError`.
 */
export async function probeStore(objects: ObjectStore, timers: Timers): Promise<void> {
  const key = `probe/${randomUUID()}`;
  const bytes = Buffer.from(key);
  try {
    await createOnce(objects, key, bytes, timers);
    if (Buffer.compare(await objects.get(key), bytes) !== 0) throw new Error('it does not give back what was put');
    for await (const found of objects.list('probe/')) if (found === key) break;
    const second = await createOnce(objects, key, Buffer.from('second'), timers);
    await objects.delete([key]);
    if (second === 'created') throw unsafe(objects.locate(key));
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(`Cannot use the object store: ${errorText(error)}`, { cause: error });
  }
}

async function createOnce(objects: ObjectStore, key: string, bytes: Uint8Array, timers: Timers): Promise<'created' | 'exists'> {
  for (let attempt = 0; ; attempt++) {
    try {
      await objects.put(key, bytes, 'create');
      return 'created';
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error;
      if (error.code === 'EXISTS') return 'exists';
      if (error.code !== 'UNAVAILABLE' || attempt + 1 >= ATTEMPTS_MAX) throw error;
      await pause(timers, pauseBefore(attempt));
    }
  }
}

function unsafe(place: string): StartupError {
  return new StartupError(
    `Cannot use the object store: it overwrote '${place}' although it was told to create it only (If-None-Match: *, or ifGenerationMatch=0). ` +
      'Without that two servers could overwrite each other; use a store that has conditional writes',
  );
}
