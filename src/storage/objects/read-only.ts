import { type ObjectStore, ObjectStoreError } from './object-store.ts';
import { withOperations } from './with-operations.ts';

/** The same objects for who only looks: everything that would change them is refused. */
export function readOnly(objects: ObjectStore): ObjectStore {
  const refuse = async (): Promise<never> => {
    throw new ObjectStoreError('DENIED', 'the store is only looked at');
  };
  const prepare = async (): Promise<void> => undefined; // nothing was left half-written by somebody who only looks
  return withOperations(objects, { prepare, put: refuse, delete: refuse, move: refuse });
}
