import type { LineError, Precision } from './line-protocol/types.ts';

/** One write as every protocol hands it over: body already unzipped, within the size limit and valid UTF-8. */
export interface WriteRequest {
  readonly database: string;
  /** The caller may reuse this memory after the promise settles. */
  readonly body: Uint8Array;
  readonly precision: Precision;
  readonly acceptPartial: boolean;
  /** Answer once validated and queued; durable at the next WAL sync. */
  readonly noSync: boolean;
  /** A client when absent. Plugins' writes do not count in telemetry. */
  readonly origin?: WriteOrigin;
}

/** Who writes: a client, or a plugin of a trigger, which is known by any object of its own. */
export type WriteOrigin = 'client' | { readonly trigger: object };

/** What became of a write that was not refused as a whole. */
export interface WriteOutcome {
  readonly acceptedLines: number;
  /** Bytes of the accepted lines without line ends. */
  readonly acceptedBytes: number;
  /** Empty = everything was written. In line order; only possible with `acceptPartial`. */
  readonly lineErrors: readonly LineError[];
}

/**
 * Stores line protocol. Resolves when the rows are durable and visible to queries (with `noSync`: when they are queued).
 * Throws `InfluxError` when nothing was written (`LineProtocolError` with `acceptPartial: false`, `EMPTY_WRITE`,
 * limits, soft-deleted database, WAL failures).
 */
export interface WriteService {
  write(request: WriteRequest): Promise<WriteOutcome>;
}
