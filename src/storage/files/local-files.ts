import { dirname, join } from 'node:path';
import { TEMPORARY_SUFFIX, unlinkIfPresent } from '../atomic-write.ts';
import type { FileSystem } from '../file-system.ts';
import type { DataFiles } from './data-files.ts';

/** Files of a store that is a directory. */
export class LocalFiles implements DataFiles {
  readonly #fs: FileSystem;
  readonly #root: string;

  /** @param root the node's directory */
  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  unique(path: string): string {
    return path; // the directory is locked
  }

  async keep(): Promise<void> {
    // where it is written is where it stays
  }

  hold(): undefined {
    return undefined;
  }

  async remove(path: string): Promise<void> {
    await unlinkIfPresent(this.#fs, join(this.#root, path));
    // The directories of the minute and the day; others of the table follow only when the table goes.
    const directory = join(this.#root, dirname(path));
    if (await removeIfEmpty(this.#fs, directory)) await removeIfEmpty(this.#fs, dirname(directory));
  }

  async discard(path: string): Promise<void> {
    await unlinkIfPresent(this.#fs, join(this.#root, path + TEMPORARY_SUFFIX));
    await unlinkIfPresent(this.#fs, join(this.#root, path));
  }
}

/** False when the directory is in use or the system does not let it go, which does no harm. */
export async function removeIfEmpty(fs: FileSystem, directory: string): Promise<boolean> {
  try {
    await fs.rmdir(directory);
    return true;
  } catch {
    return false;
  }
}
