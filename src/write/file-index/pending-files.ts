import { type DataFiles, type Fence, type ObjectStore, ObjectStoreError, type Store, TakenOver } from '../../storage/index.ts';

const PENDING_KEY = 'files/pending';

/**
 * Paths of Parquet files that may be on disk without being served: files about to be written, and removed ones that are
 * not deleted yet. The list is kept in `files/pending`; at start, listed files that no snapshot info serves are deleted.
 */
export class PendingFiles {
  readonly #objects: ObjectStore;
  readonly #files: DataFiles;
  readonly #fence: Fence;
  readonly #paths = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  constructor({ fence, files, objects }: Pick<Store, 'fence' | 'files' | 'objects'>) {
    this.#fence = fence;
    this.#objects = objects;
    this.#files = files;
  }

  /**
   * Adds paths (below the node's directory) to the list; durable when it resolves. Rejects with `TakenOver` when the list is that of
   * another process by now.
   */
  announce(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.#paths.add(path);
    const next = this.#writing.then(() => {
      if (this.#fence.reason !== undefined) throw new TakenOver(this.#fence.reason);
      return this.#objects.put(PENDING_KEY, Buffer.from(JSON.stringify([...this.#paths])), 'overwrite');
    });
    this.#writing = next.catch(() => undefined); // whoever announced hears of it
    return next;
  }

  /** These are served, or deleted. The file follows with the next announcement: a start checks every path anyway. */
  settle(paths: readonly string[]): void {
    for (const path of paths) this.#paths.delete(path);
  }

  /** Deletes listed files that are not going to be served. Never rejects: the next start tries again. */
  async discard(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      try {
        await this.#files.discard(path);
        this.#paths.delete(path);
      } catch {
        // it stays in the list
      }
    }
  }

  /**
   * Deletes listed files that are not served; at start, before anything writes. Returns how many were dealt with; what
   * cannot be deleted stays in the list.
   */
  async removeLeftovers(isLive: (path: string) => boolean): Promise<number> {
    let removed = 0;
    for (const path of await pendingPaths(this.#objects)) {
      if (isLive(path)) continue;
      try {
        await this.#files.discard(path);
        removed++;
      } catch {
        this.#paths.add(path); // the next start tries again
      }
    }
    return removed;
  }
}

/** The paths of the list; an unreadable one only leaves files lying around, so it counts as empty. */
export async function pendingPaths(objects: ObjectStore): Promise<string[]> {
  try {
    const list: unknown = JSON.parse(Buffer.from(await objects.get(PENDING_KEY)).toString('utf8'));
    return Array.isArray(list) ? list.filter((path): path is string => typeof path === 'string' && isBelowData(path)) : [];
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof ObjectStoreError && error.code === 'NOT_FOUND')) return [];
    throw error;
  }
}

/** A damaged list must not delete anything else. */
function isBelowData(path: string): boolean {
  return path.startsWith('dbs/') && path.endsWith('.parquet') && !path.split('/').includes('..');
}
