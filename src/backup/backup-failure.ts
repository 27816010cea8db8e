import { ObjectStoreError } from '../storage/index.ts';
import { BackupError } from './contract.ts';
import type { BackupPlace } from './place.ts';

/** A failure of the store as a `BackupError`, everything else as it is. That of a bucket says where it was, that of a directory not always. */
export function backupFailure({ text }: BackupPlace, error: unknown, hint?: string): unknown {
  if (!(error instanceof ObjectStoreError)) return error;
  const saysWhere = error.message.includes(text) || /\b(bucket|container) '/.test(error.message);
  return new BackupError(saysWhere ? error.message : `${text}: ${error.message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
