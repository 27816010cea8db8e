import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import type { ObjectEntry } from './object-store.ts';

/** All files of a directory as objects, hidden ones too; `folder` ends with `/` unless it is all. What goes while it is listed is left out. */
export async function* filesBelow(directory: string, folder: string): AsyncGenerator<ObjectEntry> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch(nothingThere<[]>([]));
  for (const entry of entries) {
    const key = folder + entry.name;
    if (entry.isDirectory()) yield* filesBelow(directory, `${key}/`);
    if (!entry.isFile()) continue;
    const found = await stat(join(directory, key)).catch(nothingThere(undefined));
    if (found !== undefined) yield { key, sizeBytes: found.size, modifiedMs: found.mtimeMs };
  }
}

function nothingThere<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (systemErrorCode(error) === 'ENOENT') return value;
    throw error;
  };
}
