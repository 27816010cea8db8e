import { inParallel } from '../shared/in-parallel.ts';
import { ObjectStoreError } from '../storage/index.ts';
import { BackupError, type BackupProgress } from './contract.ts';
import { contentKey, type StoredFile } from './manifest.ts';
import type { BackupPlace } from './place.ts';
import { BackupRepository } from './repository.ts';

/** Contents that are read at once. */
const READS_MAX = 8;

/** What is wrong with a content. */
export interface BackupFault {
  /** Says which file of which node, what is wrong, and where it lies. */
  readonly text: string;
  /** Backups that need it. */
  readonly backups: readonly string[];
}

export interface CheckedBackups {
  readonly backups: number;
  readonly files: number;
  readonly bytes: number;
  readonly faults: readonly BackupFault[];
}

/** Reads all contents of all complete backups of a place, and compares them with their checksums. Throws `BackupError` for a damaged manifest. */
export async function checkBackups(
  place: BackupPlace,
  onProgress: (progress: BackupProgress) => void = () => undefined,
): Promise<CheckedBackups> {
  const repository = new BackupRepository(place);
  const manifests = await repository.manifests();
  const files = new Map<string, { readonly file: StoredFile; readonly backups: string[] }>();
  for (const { files: ofBackup, name } of manifests) {
    for (const file of ofBackup) {
      const known = files.get(contentKey(file));
      if (known === undefined) files.set(contentKey(file), { file, backups: [name] });
      else if (known.backups.at(-1) !== name) known.backups.push(name);
    }
  }
  const all = [...files.values()];
  const bytes = all.reduce((sum, { file }) => sum + file.sizeBytes, 0);
  const sizes = await repository.contents();
  const faults: BackupFault[] = [];
  let doneBytes = 0;
  let doneFiles = 0;
  await inParallel(all, READS_MAX, async ({ backups, file }) => {
    let readBytes = 0;
    try {
      refuseSize(file, sizes.get(contentKey(file)), place);
      for await (const piece of repository.content(file)) {
        readBytes += piece.byteLength;
        doneBytes += piece.byteLength;
        onProgress({ doneBytes, totalBytes: bytes, doneFiles, totalFiles: all.length });
      }
    } catch (error) {
      const cause = (error as Error).cause;
      const isFault = error instanceof BackupError && !(cause instanceof ObjectStoreError && cause.code !== 'NOT_FOUND');
      if (!isFault) throw error; // nothing could be read now
      faults.push({ text: error.message, backups });
      doneBytes += file.sizeBytes - readBytes;
    }
    doneFiles += 1;
    onProgress({ doneBytes, totalBytes: bytes, doneFiles, totalFiles: all.length });
  });
  return { backups: manifests.length, files: all.length, bytes, faults };
}

function refuseSize(file: StoredFile, sizeBytes: number | undefined, { objects }: BackupPlace): void {
  if (sizeBytes === file.sizeBytes) return;
  const what = sizeBytes === undefined ? 'missing' : `damaged, of ${sizeBytes} instead of ${file.sizeBytes} bytes`;
  throw new BackupError(`${file.path} of the backup is ${what}: ${objects.locate(contentKey(file))}`);
}
