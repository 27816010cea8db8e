import { HOUR_NS } from '../../shared/time-units.ts';
import { chunkStart } from '../buffer/index.ts';

/** Rows of whole gen1 chunks that stay together, as files or about to become one. */
export interface ChunkSpan {
  /** Start of the first chunk, ns. */
  readonly fromNs: bigint;
  /** End of the last chunk (exclusive), ns. */
  readonly toNs: bigint;
  readonly bytes: number;
  readonly rows: number;
}

/** What a file is not made larger than by joining neighbours. */
export interface FileLimits {
  readonly fileBytesMax: number;
  readonly fileRowsMax: number;
}

/** Values of one file that is sorted: memory for more would be missed elsewhere. */
const SORTED_VALUES_MAX = 4_000_000;

/** Rows of a file of several hours whose day goes on: one row group, so that little is read in vain. */
const OPEN_DAY_ROWS_MAX = 100_000;

const DAY_NS = 24n * HOUR_NS;

/** The limits for a table with so many columns. */
export function limitsFor<L extends FileLimits>(columns: number, limits: L): L {
  return { ...limits, fileRowsMax: Math.min(limits.fileRowsMax, Math.floor(SORTED_VALUES_MAX / Math.max(1, columns))) };
}

/**
 * Which neighbours belong into one file: those of a day when there are rows of a later day, those of an hour, and of few
 * rows also of several hours, when there are rows of a later hour; as long as the file stays within the limits.
 * @param spans ascending, without overlaps
 * @param newestChunk start of the newest chunk that has rows
 */
export function fileGroups<S extends ChunkSpan>(spans: readonly S[], newestChunk: bigint, limits: FileLimits): S[][] {
  const groups: S[][] = [];
  let sums = { day: -1n, hour: -1n, bytes: 0, rows: 0 };
  for (const span of spans) {
    const day = chunkStart(span.fromNs, DAY_NS);
    const hour = chunkStart(span.fromNs, HOUR_NS);
    const whole = day + DAY_NS <= newestChunk || hour === sums.hour;
    const rowsMax = whole ? limits.fileRowsMax : Math.min(limits.fileRowsMax, OPEN_DAY_ROWS_MAX);
    const fits = sums.bytes + span.bytes <= limits.fileBytesMax && sums.rows + span.rows <= rowsMax;
    const last = groups.at(-1);
    if (last !== undefined && fits && sums.day === day && isHourOver(span, newestChunk)) {
      last.push(span);
      sums.bytes += span.bytes;
      sums.rows += span.rows;
    } else {
      groups.push([span]);
      sums = { day, hour, bytes: span.bytes, rows: span.rows };
    }
  }
  return groups;
}

/** True = there are rows of a later hour than that in which the span begins. */
export function isHourOver(span: ChunkSpan, newestChunk: bigint): boolean {
  return chunkStart(span.fromNs, HOUR_NS) + HOUR_NS <= newestChunk;
}
