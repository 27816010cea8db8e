import { type ObjectStore, ObjectStoreError } from './object-store.ts';

/** The same objects for who only looks: everything that would change them is refused. */
export function readOnly(objects: ObjectStore): ObjectStore {
  const refuse = async (): Promise<never> => {
    throw new ObjectStoreError('DENIED', 'the store is only looked at');
  };
  return {
    get: (key) => objects.get(key),
    getRange: (key, start, length) => objects.getRange(key, start, length),
    head: (key) => objects.head(key),
    list: (prefix, startAfter) => objects.list(prefix, startAfter),
    locate: (key) => objects.locate(key),
    prepare: async () => undefined, // nothing was left half-written by somebody who only looks
    put: refuse,
    delete: refuse,
    move: refuse,
  };
}
