import { CORRUPT_SUFFIX } from '../atomic-write.ts';
import type { ObjectStore } from './object-store.ts';

/** Gives an object that cannot be used the first free key `<key>.corrupt`, `<key>.corrupt.1`, ...; returns where it is now. */
export async function setAside(objects: ObjectStore, key: string): Promise<string> {
  const base = key + CORRUPT_SUFFIX;
  const taken = new Set<string>();
  for await (const other of objects.list(base)) taken.add(other);
  let to = base;
  for (let i = 1; taken.has(to); i++) to = `${base}.${i}`;
  await objects.move(key, to);
  return objects.locate(to);
}
