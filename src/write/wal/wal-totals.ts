/** What there is of the log, and what failed since the start. */
export interface WalTotals {
  /** Closed files on disk, or in the bucket; some are kept for a while after a snapshot covers them. */
  readonly files: number;
  readonly bytes: number;
  /** Attempts to delete a file that failed. */
  readonly failedDeletes: number;
  /** Records that could not be made durable: their writes were refused. */
  readonly failedRecords: number;
  /** Records that are not durable yet. */
  readonly queuedRecords: number;
  readonly queuedBytes: number;
}
