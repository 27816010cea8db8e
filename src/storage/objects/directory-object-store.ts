import { dirname, join } from 'node:path';
import { assert } from '../../shared/assert.ts';
import { atomicWrite, createExclusive, removeTemporaryFiles, TEMPORARY_SUFFIX, unlinkIfPresent } from '../atomic-write.ts';
import { errorText, systemErrorCode } from '../errors.ts';
import type { FileSystem } from '../file-system.ts';
import { isObjectKey, type ObjectErrorCode, type ObjectStore, ObjectStoreError, type PutCondition } from './object-store.ts';

/** Objects as files of a directory, which no other process writes to. */
export class DirectoryObjectStore implements ObjectStore {
  readonly #fs: FileSystem;
  readonly #root: string;
  /** The last write of each file that is being written. */
  readonly #writing = new Map<string, Promise<void>>();

  /** @param root absolute path */
  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void> {
    const path = this.locate(key);
    const write = condition === 'create' ? createExclusive : atomicWrite;
    return told(this.#afterOthers(path, () => write(this.#fs, path, bytes)));
  }

  /** Writers of one file share its temporary name: they come one after the other. */
  #afterOthers(path: string, write: () => Promise<void>): Promise<void> {
    const next = (this.#writing.get(path) ?? Promise.resolve()).then(write);
    const settled = next
      .catch(() => undefined) // its writer hears of it
      .finally(() => {
        if (this.#writing.get(path) === settled) this.#writing.delete(path);
      });
    this.#writing.set(path, settled);
    return next;
  }

  get(key: string): Promise<Uint8Array> {
    return told(this.#fs.readFile(this.locate(key)));
  }

  getRange(key: string, start: number, length: number): Promise<Uint8Array> {
    return told(this.#fs.readRange(this.locate(key), start, length));
  }

  head(key: string): Promise<{ readonly sizeBytes: number }> {
    return told(this.#fs.size(this.locate(key)).then((sizeBytes) => ({ sizeBytes })));
  }

  list(prefix: string, startAfter = ''): AsyncIterable<string> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    return this.#walk(folder, prefix, startAfter);
  }

  delete(keys: readonly string[]): Promise<void> {
    return told(this.#delete(keys.map((key) => this.locate(key))));
  }

  async #delete(paths: readonly string[]): Promise<void> {
    for (const path of paths) await unlinkIfPresent(this.#fs, path);
    for (const directory of new Set(paths.map(dirname))) await this.#fs.syncDirectory(directory);
  }

  move(from: string, to: string): Promise<void> {
    return told(this.#move(this.locate(from), this.locate(to)));
  }

  async #move(from: string, to: string): Promise<void> {
    await this.#fs.rename(from, to);
    for (const directory of new Set([dirname(to), dirname(from)])) await this.#fs.syncDirectory(directory);
  }

  prepare(prefix: string): Promise<void> {
    return told(this.#prepare(this.locate(prefix.slice(0, -1))));
  }

  async #prepare(directory: string): Promise<void> {
    await this.#fs.mkdir(directory);
    for (let at = directory; at !== dirname(this.#root) && at !== dirname(at); at = dirname(at)) await this.#fs.syncDirectory(at);
    await removeTemporaryFiles(this.#fs, directory);
  }

  locate(key: string): string {
    assert(isObjectKey(key), `'${key}' is no key of an object`);
    return join(this.#root, key);
  }

  /** Files of a folder and of the folders in it, in the order of their keys. */
  async *#walk(folder: string, prefix: string, startAfter: string): AsyncGenerator<string> {
    const path = folder === '' ? this.#root : this.locate(folder.slice(0, -1));
    const names = (await told(this.#fs.entries(path))).map(({ name, isDirectory }) => (isDirectory ? `${name}/` : name));
    for (const name of names.sort(byCode)) {
      const key = folder + name;
      const within = key.startsWith(prefix) || prefix.startsWith(key);
      if (!within || name.endsWith(TEMPORARY_SUFFIX)) continue;
      if (key.endsWith('/')) {
        const before = key <= startAfter && !startAfter.startsWith(key); // all of its keys
        if (!before) yield* this.#walk(key, prefix, startAfter);
      } else if (key > startAfter && key.startsWith(prefix)) {
        yield key;
      }
    }
  }
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same result; failures of the system as failures of the store. */
async function told<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw new ObjectStoreError(CODES[systemErrorCode(error) ?? ''] ?? 'UNAVAILABLE', errorText(error), error);
  }
}

const CODES: Readonly<Record<string, ObjectErrorCode>> = {
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  EACCES: 'DENIED',
  EPERM: 'DENIED',
  EROFS: 'DENIED',
};
