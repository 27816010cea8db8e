import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/logger.ts';
import type { Timers } from '../../shared/timers.ts';
import type { BucketStore, Fence, FileSystem } from '../../storage/index.ts';

/** A file is closed when it has grown beyond this, however young. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes written with one sync at most, so that early waiters do not wait for all that came after. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024;

export const QUEUED_BYTES_MAX = 64 * 1024 * 1024;
export const BUFFERED_WRITES_MAX = 100_000;

/** Covered files are kept only as long as they take no more than this. */
export const KEPT_BYTES_MAX = 256 * 1024 * 1024;

export interface WalOptions {
  readonly fs: FileSystem;
  /** `<data-dir>/<node-id>`. */
  readonly root: string;
  /** Catalog UUID: files of another catalog are not replayed. */
  readonly uuid: string;
  readonly clock: Clock;
  readonly log: Log;
  /** `none` = no files at all, same callbacks; for stores that do not survive the process anyway. */
  readonly durability: 'sync' | 'none';
  /** Longest span of writing time in one file. */
  readonly flushIntervalMs: number;
  /** Records that may wait; beyond it writes fail. */
  readonly maxBufferedWrites?: number;
  readonly queuedBytesMax?: number;
  readonly fileBytesMax?: number;
  /** Whether the next file is created before it is needed; true by default. */
  readonly prepareFiles?: boolean;
  readonly timers: Timers;
  /** Where the log is when it is not below `root`: each group of records is then an object. */
  readonly bucket?: { readonly store: BucketStore; readonly fence: Fence } | undefined;
}
