import type { ObjectStore } from './object-store.ts';

/** Prepares the folders of a store, each once, before anything is written there. */
export class PreparedFolders {
  readonly #objects: Pick<ObjectStore, 'prepare'>;
  readonly #folders = new Map<string, Promise<void>>();

  constructor(objects: Pick<ObjectStore, 'prepare'>) {
    this.#objects = objects;
  }

  /** Resolves when the folder of a key can be written to. */
  ready(key: string): Promise<void> {
    const folder = key.slice(0, key.lastIndexOf('/') + 1);
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const made = folder === '' ? Promise.resolve() : this.#objects.prepare(folder);
    this.#folders.set(folder, made);
    return made;
  }
}
