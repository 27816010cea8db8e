import { join } from 'node:path';
import { atomicWrite, type FileSystem, systemErrorCode, TEMPORARY_SUFFIX, unlinkIfPresent } from '../storage/index.ts';

/**
 * Paths that a snapshot is about to write, kept in `files/pending`. After a crash, files of that list that no snapshot
 * info knows are leftovers: their rows are still in the WAL.
 */
export class PendingFiles {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #path: string;

  /** @param root the node's directory */
  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
    this.#path = join(root, 'files', 'pending');
  }

  /** Replaces the list; paths are below the node's directory. */
  async announce(paths: readonly string[]): Promise<void> {
    await atomicWrite(this.#fs, this.#path, Buffer.from(JSON.stringify(paths)));
  }

  /** Removes listed files that are not live; at start, before anything writes. Returns how many there were. */
  async removeLeftovers(isLive: (path: string) => boolean): Promise<number> {
    let removed = 0;
    for (const path of await this.#read()) {
      if (isLive(path)) continue;
      await unlinkIfPresent(this.#fs, join(this.#root, path + TEMPORARY_SUFFIX));
      await unlinkIfPresent(this.#fs, join(this.#root, path));
      removed++;
    }
    return removed;
  }

  /** An unreadable list only leaves files lying around; it never stops a start. */
  async #read(): Promise<string[]> {
    try {
      const list: unknown = JSON.parse(Buffer.from(await this.#fs.readFile(this.#path)).toString('utf8'));
      return Array.isArray(list) ? list.filter((path): path is string => typeof path === 'string' && path.startsWith('dbs/')) : [];
    } catch (error) {
      if (error instanceof SyntaxError || systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
