import type { ObjectStore } from './object-store.ts';

/** The same objects, some of whose operations are done in another way. */
export function withOperations(objects: ObjectStore, others: Partial<ObjectStore>): ObjectStore {
  return {
    get: (key) => objects.get(key),
    getRange: (key, start, length) => objects.getRange(key, start, length),
    head: (key) => objects.head(key),
    list: (prefix, startAfter) => objects.list(prefix, startAfter),
    locate: (key) => objects.locate(key),
    prepare: (prefix) => objects.prepare(prefix),
    put: (key, bytes, condition) => objects.put(key, bytes, condition),
    delete: (keys) => objects.delete(keys),
    move: (from, to) => objects.move(from, to),
    ...others,
  };
}
