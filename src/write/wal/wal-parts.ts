import type { WalArchive } from './wal-archive.ts';
import { WalBucket } from './wal-bucket.ts';
import { WalDirectory } from './wal-directory.ts';
import { WalFiles } from './wal-files.ts';
import type { WalOptions } from './wal-options.ts';
import { WalPace } from './wal-pace.ts';
import type { WalWriters } from './wal-writer.ts';

/** Where a log is: in a directory, or in a bucket, which is written to at its own pace. */
export interface WalParts {
  readonly archive: WalArchive;
  readonly writers: WalWriters;
  readonly bucket: WalBucket | undefined;
  readonly pace: WalPace | undefined;
}

/** The parts of a log in a directory, or in a bucket when the options have one. Nothing is read or written yet. */
export function openParts(options: WalOptions): WalParts {
  if (options.bucket === undefined) {
    const directory = new WalDirectory(options.fs, options.root, options.log);
    const writers = new WalFiles({ ...options, directory, prepare: options.prepareFiles ?? true });
    return { archive: directory, writers, bucket: undefined, pace: undefined };
  }
  const bucket = new WalBucket({ ...options, ...options.bucket, bucket: options.bucket.store });
  return { archive: bucket, writers: bucket, bucket, pace: new WalPace(options) };
}
