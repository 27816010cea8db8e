import type { SchemaTransaction, TableSchema } from '../../catalog/schema.ts';
import { assert } from '../../shared/assert.ts';
import { Borrowed, type Settled } from '../../shared/borrowed.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { SeriesIndex } from '../series/index.ts';
import { FastLines } from './fast-lines.ts';
import { NameCache } from './name-cache.ts';
import type { ParsedRows, ParsedWrite } from './parsed-write.ts';
import { RawSeriesCache } from './raw-series-cache.ts';
import { RowWriter } from './row-writer.ts';
import { SlowLines } from './slow-lines.ts';
import { TableSet } from './table-set.ts';
import { TimestampReader } from './timestamp.ts';
import type { Precision } from './types.ts';

const NEWLINE = 0x0a;
/** Room behind the copied last line, so that whole words can be compared up to its end. */
const TAIL_PADDING = 8;

/** What a parser needs from the buffer. */
export interface LineParserOptions {
  /** The series of a table; always the same object for the same table. */
  readonly seriesOf: (table: TableSchema) => SeriesIndex;
  /** Memory that the columns of a body may take beside what its size justifies, bytes. */
  readonly columnBytesMax?: number;
}

/** Settings of one write. */
export interface ParseOptions {
  readonly precision: Precision;
  /** Collect bad lines and keep the good ones; else the first bad line throws. */
  readonly acceptPartial: boolean;
  /** Time of lines without a timestamp, ns since the epoch; truncated to the precision. */
  readonly ingestTimeNs: bigint;
}

/**
 * Turns line protocol bytes into typed columns. One per database: it remembers series texts and keeps its arrays.
 *
 * Plain lines of known tables go through `FastLines`; every other line goes through the whole grammar one at a time.
 *
 * Shared by: all writes of a database. Safe because `parse` is synchronous, its rows are lent for one synchronous call inside
 * it, and every body begins and ends with empty columns, whether it is accepted, refused or fails. What outlives a body (texts
 * of series, tables, names) is only written when whole; after an error that is not one of the catalogue it is thrown away.
 */
export class LineParser {
  readonly #tables: TableSet;
  readonly #cache = new RawSeriesCache();
  readonly #times = new TimestampReader();
  readonly #fast: FastLines;
  readonly #rows: RowWriter;
  readonly #names = new NameCache();
  /** A `Buffer` as bodies are: the hot loop is compiled for one kind of array. */
  #tail = Buffer.alloc(0);
  #parsing = false;

  constructor(options: LineParserOptions) {
    this.#tables = new TableSet(options.seriesOf, options.columnBytesMax);
    this.#fast = new FastLines(this.#cache, this.#tables, this.#times);
    this.#rows = new RowWriter(this.#tables);
  }

  /**
   * Reads one body, which is valid UTF-8, and lends its rows to `use` if there are any and the schema is as they need it.
   * Throws `LineProtocolError` at the first bad line without `acceptPartial`, `WRITE_TOO_SPARSE`, and what `use` throws.
   * Schema additions are only staged in `transaction`; see `ParsedWrite.schemaChanged`.
   */
  parse<T>(body: Uint8Array, transaction: SchemaTransaction, options: ParseOptions, use: (rows: ParsedRows) => Settled<T>): ParsedWrite<T> {
    assert(!this.#parsing, 'a line protocol parser is used while its rows are lent');
    this.#parsing = true;
    try {
      const slow = this.#read(body, transaction, options);
      const acceptedLines = this.#fast.rows + slow.rows;
      const acceptedBytes = this.#fast.bytes + slow.bytes;
      const schemaChanged = transaction.changed;
      const hasRows = acceptedLines > 0 && !schemaChanged;
      const result = hasRows ? Borrowed.lend(this.#tables.finish(acceptedLines), use) : undefined;
      return { schemaChanged, result, lineErrors: slow.errors, acceptedLines, acceptedBytes };
    } catch (error) {
      // Ours, not the client's: whatever it left half done must not be used again.
      if (!(error instanceof InfluxError)) this.clear();
      throw error;
    } finally {
      this.#tables.end();
      this.#parsing = false;
    }
  }

  /** Forgets cached series and tables; needed after tables were deleted to free their memory, never for being right. */
  clear(): void {
    this.#cache.clear();
    this.#tables.clear();
  }

  /** Fills the columns. Returns the part of the lines that the hot loop gave back. */
  #read(body: Uint8Array, transaction: SchemaTransaction, options: ParseOptions): SlowLines {
    this.#tables.begin(transaction, body.length);
    this.#times.begin(options.precision, options.ingestTimeNs);
    this.#fast.begin();
    const slow = new SlowLines(body, transaction, options, this.#rows, this.#names);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    // Up to here the hot loop reads in place: all but the last line, which it gets with room behind.
    const inPlaceEnd = body.length < 2 ? 0 : body.lastIndexOf(NEWLINE, body.length - 2) + 1;
    let at = 0;
    while (at < body.length) {
      if (at < inPlaceEnd) {
        at = this.#fast.run(body, view, at, inPlaceEnd);
        if (at === inPlaceEnd) continue;
      } else {
        at = this.#runTail(body, at);
        if (at === body.length) break;
      }
      at = slow.take(at, this.#fast.rows);
    }
    return slow;
  }

  /** Runs the hot loop over a copy of the last line. Returns where it stopped in the body. */
  #runTail(body: Uint8Array, at: number): number {
    const length = body.length - at;
    if (this.#tail.length < length + 1 + TAIL_PADDING) this.#tail = Buffer.allocUnsafeSlow((length + 1 + TAIL_PADDING) * 2);
    const tail = this.#tail;
    tail.set(body.subarray(at));
    tail[length] = NEWLINE;
    const stopped = this.#fast.run(tail, new DataView(tail.buffer), 0, length + 1);
    return Math.min(at + stopped, body.length);
  }
}
