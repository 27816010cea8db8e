import { ObjectStoreError } from '../storage/index.ts';
import { BackupError } from './contract.ts';
import { decodeProgress, type Progress } from './manifest.ts';
import type { BackupPlace } from './place.ts';

/** Before the keys of what running backups say of themselves. */
export const UNFINISHED = 'unfinished/';

/** A backup that has not ended, or was interrupted. */
export interface UnfinishedBackup {
  readonly name: string;
  /** Of its parts, which are numbered. */
  readonly keys: readonly string[];
  /** When it last wrote a part, ms since 1970 by the clock of the store; infinite where the store does not tell. */
  readonly heardMs: number;
}

/** Where the nth part of the progress of a backup is. */
export function progressKey(name: string, part: number): string {
  return `${UNFINISHED}${name}.${String(part).padStart(6, '0')}.json`;
}

/** All backups of a place that have not ended. */
export async function unfinishedBackups(place: BackupPlace): Promise<readonly UnfinishedBackup[]> {
  const found = new Map<string, UnfinishedBackup>();
  for await (const { key, modifiedMs } of place.entries(UNFINISHED)) {
    const name = /^unfinished\/(.+)\.\d{6,}\.json$/.exec(key)?.[1];
    if (name === undefined) continue;
    const before = found.get(name);
    const heardMs = Math.max(before?.heardMs ?? 0, modifiedMs ?? Number.POSITIVE_INFINITY);
    found.set(name, { name, keys: [...(before?.keys ?? []), key], heardMs });
  }
  return [...found.values()];
}

/** The parts of the progress of a backup that can be read. */
export async function progressOf(place: BackupPlace, { keys }: UnfinishedBackup): Promise<Progress[]> {
  const parts: Progress[] = [];
  for (const key of keys) {
    try {
      parts.push(decodeProgress(await place.objects.get(key), place.objects.locate(key)));
    } catch (error) {
      // It has just ended, or nobody can use it: then its files are copied again.
      const isGone = error instanceof ObjectStoreError && error.code === 'NOT_FOUND';
      if (!isGone && !(error instanceof BackupError)) throw error;
    }
  }
  return parts;
}
