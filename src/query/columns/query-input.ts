import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import type { SeriesIndex } from '../../write/series/index.ts';
import type { Comparison } from '../sql/types/plans.ts';
import type { NumberColumn, ReadySegments } from './column-store.ts';
import type { FieldColumn } from './field-column.ts';
import { RowGroups, type TagCondition } from './row-groups.ts';
import {
  BATCH_ROWS,
  BufferScan,
  FileScan,
  filterRows,
  newRowBatch,
  type RowBatch,
  type RowScan,
  type ScanRequest,
  type TimeBins,
} from './row-scan.ts';
import type { BufferSegment, FileSegment, Segment } from './segment.ts';
import { NO_TAG } from './table-tags.ts';

/** Values looked at before other work gets a turn: less than a millisecond when the code is compiled. */
export const SCANNED_VALUES_PER_TURN = 250_000;

/** Resolves when it is the caller's turn to compute again. */
export type Pause = () => Promise<void>;

/** How a long piece of work gives other work turns. */
export interface PieceWork {
  readonly pause: Pause;
  /** Values looked at between two pauses. */
  readonly valuesPerTurn: number;
}

/** Differences between times above this are not exact. */
const SPAN_NS_MAX = 2n ** 53n;

/** A plan whose names are resolved and whose rows are in memory. Everything is captured: rows that come later are not seen. */
export class QueryInput {
  readonly table: TableSchema;
  readonly pieces: PieceWork;
  /** Bounds of the condition and of what is stored together, inclusive ns; undefined = there are no rows. */
  readonly span: { readonly minNs: bigint; readonly maxNs: bigint } | undefined;
  readonly #ready: ReadySegments;
  readonly #series: SeriesIndex | undefined;
  readonly #tags: readonly TagCondition[];
  readonly #filters: readonly { readonly column: NumberColumn; readonly op: Comparison; readonly value: number }[];

  constructor(input: {
    readonly table: TableSchema;
    readonly pieces: PieceWork;
    readonly ready: ReadySegments;
    readonly series: SeriesIndex | undefined;
    readonly minTimeNs: bigint | undefined;
    readonly maxTimeNs: bigint | undefined;
    readonly tags: readonly TagCondition[];
    readonly filters: readonly { readonly column: NumberColumn; readonly op: Comparison; readonly value: number }[];
  }) {
    this.table = input.table;
    this.pieces = input.pieces;
    this.#ready = input.ready;
    this.#series = input.series;
    this.#tags = input.tags;
    this.#filters = input.filters;
    this.span = spanOf([...input.ready.files, ...input.ready.buffers], input.minTimeNs, input.maxTimeNs);
  }

  /** True when every wanted time is exact as a distance from a moment, and as one from its segment plus the segment's distance from it. */
  isExactFrom(ns: bigint): boolean {
    const { span } = this;
    if (span === undefined) return true;
    if (span.maxNs - ns >= SPAN_NS_MAX || ns - span.minNs >= SPAN_NS_MAX) return false;
    const { files, buffers } = this.#ready;
    return [...files, ...buffers].every(
      ({ baseNs, rowCount }) => rowCount === 0 || (baseNs - ns < SPAN_NS_MAX && ns - baseNs < SPAN_NS_MAX),
    );
  }

  /** Tags that conditions are about. */
  get tagCount(): number {
    return this.#tags.length;
  }

  /** Groups by tags; `scans` numbers them. */
  groupsBy(keys: readonly ColumnSchema[]): RowGroups {
    return new RowGroups(this.table, this.#ready.tags, this.#series, keys, this.#tags);
  }

  /** Codes of a tag by the numbers that `seriesOf` gives; `tagTexts` has the texts. Undefined = no row has it. */
  tagCodes(column: ColumnSchema, segment: FileSegment | BufferSegment): Int32Array | undefined {
    if (segment.kind === 'file') return segment.codes.get(column.id);
    return this.#series === undefined ? undefined : this.#ready.tags.seriesCodes(this.table, this.#series, column.id);
  }

  /** Texts of a tag by code. */
  tagTexts(column: ColumnSchema): readonly string[] {
    return this.#ready.tags.texts(column.id);
  }

  /** Reads the text of a row's tag, null = it has none. What it reads of is taken now: series that come later may be too many. */
  tagReader(column: ColumnSchema): (segment: FileSegment | BufferSegment, row: number) => string | null {
    const { tags } = this.#ready;
    const texts = tags.texts(column.id);
    const buffered = this.#series === undefined ? undefined : tags.seriesCodes(this.table, this.#series, column.id);
    return (segment, row) => {
      const code =
        segment.kind === 'file' ? segment.codes.get(column.id)?.[runOf(segment.starts, row)] : buffered?.[segment.series[row] as number];
      return code === undefined || code === NO_TAG ? null : (texts[code] ?? null);
    };
  }

  /** What `scanAll` reads: numbers the groups first, so that their count is known. */
  scans(groups: RowGroups): SegmentScan[] {
    const { span } = this;
    if (span === undefined) return [];
    const wanted = (segment: Segment): boolean =>
      segment.rowCount > 0 && timeIn(segment, span.maxNs) >= segment.minTime && timeIn(segment, span.minNs) <= segment.maxTime;
    const files = this.#ready.files.filter(wanted).map((segment) => ({ segment, groupOf: groups.ofFile(segment) }));
    const buffers = this.#ready.buffers.filter(wanted).map((segment) => ({ segment, groupOf: groups.ofBuffer() }));
    return [...files, ...buffers].map(({ segment, groupOf }) => ({
      segment,
      groupOf,
      minTime: timeIn(segment, span.minNs),
      maxTime: timeIn(segment, span.maxNs),
      filters: this.#filters.map(({ column, op, value }) => ({ column: fieldOf(segment, column), op, value })),
    }));
  }
}

/** True when no row of the scan's segment is left out. */
export function isWhole({ segment, minTime, maxTime, filters }: SegmentScan): boolean {
  return filters.length === 0 && minTime <= segment.minTime && maxTime >= segment.maxTime;
}

/** One segment's part of a query. */
export interface SegmentScan {
  readonly segment: FileSegment | BufferSegment;
  readonly groupOf: Int32Array;
  readonly minTime: number;
  readonly maxTime: number;
  readonly filters: readonly { readonly column: FieldColumn; readonly op: Comparison; readonly value: number }[];
}

/**
 * Visits the rows of scans that meet all conditions, batch by batch; long scans give other work turns.
 * @param valuesPerRow what a visit costs beside finding the row
 */
export async function scanAll(
  scans: readonly SegmentScan[],
  how: {
    readonly pieces: PieceWork;
    readonly binsOf?: (segment: Segment) => TimeBins | undefined;
    readonly backwards?: boolean;
    readonly isWanted?: (segment: Segment, minTime: number, maxTime: number) => boolean;
  },
  valuesPerRow: number,
  visit: (batch: RowBatch, count: number, segment: Segment) => void,
): Promise<void> {
  // Arrays that a buffer segment may replace are taken before the first turn ends.
  const prepared = scans.map((scan) => ({
    ...scan,
    rows: rowScan(scan, {
      bins: how.binsOf?.(scan.segment),
      backwards: how.backwards === true,
      isWanted: how.isWanted && ((minTime, maxTime) => how.isWanted?.(scan.segment, minTime, maxTime) === true),
    }),
  }));
  const batch = newRowBatch();
  let values = 0;
  for (const { rows, filters, segment } of prepared) {
    for (let found = rows.next(batch); found > 0; found = rows.next(batch)) {
      let count = found;
      for (const { column, op, value } of filters) count = filterRows(batch, count, column, op, value);
      if (count > 0) visit(batch, count, segment);
      values += found + count * valuesPerRow;
      if (values < how.pieces.valuesPerTurn) continue;
      values = 0;
      await how.pieces.pause();
    }
  }
}

/** Rows of one segment. */
export interface FoundRows {
  readonly rows: Int32Array;
  readonly segment: FileSegment | BufferSegment;
}

/**
 * The rows that meet all conditions, some when they are asked for: where few of many rows do, those of several batches together.
 * @param enough rows after which nobody will ask for more
 */
export function foundRows(scans: readonly SegmentScan[], enough: number, pieces: PieceWork): AsyncIterable<FoundRows> {
  // Arrays that a buffer segment may replace are taken now.
  const prepared = scans.map((scan) => ({ ...scan, scan: rowScan(scan, { bins: undefined }) }));
  return found(prepared, Math.min(enough, BATCH_ROWS), pieces);
}

async function* found(
  prepared: readonly (SegmentScan & { readonly scan: RowScan })[],
  handedOver: number,
  { pause, valuesPerTurn }: PieceWork,
): AsyncGenerator<FoundRows> {
  const batch = newRowBatch();
  let looked = 0;
  for (const { scan, filters, segment } of prepared) {
    let rows = new Int32Array(BATCH_ROWS * 2);
    let total = 0;
    for (let seen = scan.next(batch); seen > 0; seen = scan.next(batch)) {
      let count = seen;
      for (const { column, op, value } of filters) count = filterRows(batch, count, column, op, value);
      rows.set(count === BATCH_ROWS ? batch.rows : batch.rows.subarray(0, count), total);
      total += count;
      if (total >= handedOver) {
        yield { rows: rows.subarray(0, total), segment };
        rows = new Int32Array(BATCH_ROWS * 2);
        total = 0;
      }
      looked += seen;
      if (looked < valuesPerTurn) continue;
      looked = 0;
      await pause();
    }
    if (total > 0) yield { rows: rows.subarray(0, total), segment };
  }
}

function rowScan({ segment, groupOf, minTime, maxTime }: SegmentScan, how: Pick<ScanRequest, 'bins' | 'backwards' | 'isWanted'>): RowScan {
  const request = { groupOf, minTime, maxTime, ...how };
  return segment.kind === 'file' ? new FileScan(segment, request) : new BufferScan(segment, request);
}

/** Numbers of the series that rows are of: those of the buffer, or the runs of a file. */
export function seriesOf(segment: FileSegment | BufferSegment): (rows: Int32Array) => Int32Array {
  // A buffer segment may get another array.
  if (segment.kind === 'buffer') {
    const { series } = segment;
    return (rows) => {
      const found = new Int32Array(rows.length);
      for (let i = 0; i < rows.length; i++) found[i] = series[rows[i] as number] as number;
      return found;
    };
  }
  const { starts } = segment;
  return (rows) => {
    const found = new Int32Array(rows.length);
    // Rows come run after run: the run of the one before is mostly that of the next.
    let run = rows.length === 0 ? 0 : runOf(starts, rows[0] as number);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      if (row >= (starts[run + 1] as number)) run = runOf(starts, row);
      found[i] = run;
    }
    return found;
  };
}

/** The run that a row is in. */
function runOf(starts: Int32Array, row: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= row) low = middle;
    else high = middle;
  }
  return low;
}

/** The field of a segment that the store said to have. */
export function fieldOf(segment: Segment, column: NumberColumn): FieldColumn {
  const field = segment.field(column.id);
  if (field === undefined) throw new Error('internal error: a column was not loaded');
  return field;
}

/** A time as distance from the segment's base; infinite when it is too far to be exact. */
function timeIn(segment: Segment, ns: bigint): number {
  const distance = ns - segment.baseNs;
  if (distance > SPAN_NS_MAX) return Number.POSITIVE_INFINITY;
  return distance < -SPAN_NS_MAX ? Number.NEGATIVE_INFINITY : Number(distance);
}

function spanOf(
  segments: readonly Segment[],
  minTimeNs: bigint | undefined,
  maxTimeNs: bigint | undefined,
): { readonly minNs: bigint; readonly maxNs: bigint } | undefined {
  let minNs: bigint | undefined;
  let maxNs: bigint | undefined;
  for (const { rowCount, baseNs, minTime, maxTime } of segments) {
    if (rowCount === 0) continue;
    const first = baseNs + BigInt(minTime);
    const last = baseNs + BigInt(maxTime);
    if (minNs === undefined || first < minNs) minNs = first;
    if (maxNs === undefined || last > maxNs) maxNs = last;
  }
  if (minNs === undefined || maxNs === undefined) return undefined;
  if (minTimeNs !== undefined && minTimeNs > minNs) minNs = minTimeNs;
  if (maxTimeNs !== undefined && maxTimeNs < maxNs) maxNs = maxTimeNs;
  return minNs > maxNs ? undefined : { minNs, maxNs };
}
