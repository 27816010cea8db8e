import type { ColumnSchema } from '../../catalog/schema.ts';
import type { ResultBatch, ResultColumn, ResultVector } from '../result.ts';
import { textVector } from '../results/index.ts';
import type { EdgeShape } from '../sql/types/plans.ts';
import type { NumberColumn } from './column-store.ts';
import { fieldOf, type QueryInput, type SegmentScan, scanAll } from './query-input.ts';
import { firstAfter, firstFrom, type RowBatch } from './row-scan.ts';
import type { Segment } from './segment.ts';
import { numberVector } from './vectors.ts';

/** A column of the result with its schema. */
export type ResolvedRowItem =
  | { readonly kind: 'time' }
  | { readonly kind: 'tag'; readonly column: ColumnSchema }
  | { readonly kind: 'field'; readonly column: NumberColumn };

/** The row that is newest (or oldest) of each group; of rows at the same time any. */
class Edges {
  readonly #newest: boolean;
  /** Ns after one moment for the whole query. */
  readonly #times: Float64Array;
  readonly #rows: Int32Array;
  readonly #scans: (SegmentScan | undefined)[];

  constructor(edge: EdgeShape['edge'], groups: number) {
    this.#newest = edge === 'newest';
    this.#times = new Float64Array(groups).fill(this.#newest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    this.#rows = new Int32Array(groups);
    this.#scans = new Array<SegmentScan | undefined>(groups).fill(undefined);
  }

  /** Offers rows of a segment whose times are ns after a moment `shift` ns after the query's. */
  offer({ rows, cells }: RowBatch, count: number, shift: number, times: Float64Array, scan: SegmentScan): void {
    const best = this.#times;
    const newest = this.#newest;
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      const group = cells[i] as number;
      const time = shift + (times[row] as number);
      if (newest ? time < (best[group] as number) : time >= (best[group] as number)) continue;
      best[group] = time;
      this.#rows[group] = row;
      if (this.#scans[group] !== scan) this.#scans[group] = scan;
    }
  }

  /** True when rows between two times may be better than one that was found; groups without a row count as worst. */
  mayImprove(minTime: number, maxTime: number): boolean {
    const best = this.#times;
    for (let group = 0; group < best.length; group++) {
      if (this.#newest ? maxTime >= (best[group] as number) : minTime < (best[group] as number)) return true;
    }
    return false;
  }

  /** Groups that have a row. */
  found(): { readonly row: number; readonly scan: SegmentScan }[] {
    const found: { row: number; scan: SegmentScan }[] = [];
    for (let group = 0; group < this.#scans.length; group++) {
      const scan = this.#scans[group];
      if (scan !== undefined) found.push({ row: this.#rows[group] as number, scan });
    }
    return found;
  }
}

/** Runs a query for the newest row of each group. Undefined when its times are too far apart. */
export async function runEdges(
  input: QueryInput,
  shape: EdgeShape,
  keys: readonly ColumnSchema[],
  items: readonly ResolvedRowItem[],
  output: readonly ResultColumn[],
): Promise<ResultBatch | undefined> {
  const { span } = input;
  if (!input.isExactFrom(span?.minNs ?? 0n)) return undefined;
  const groups = input.groupsBy(keys);
  const scans = input.scans(groups);
  const edges = new Edges(shape.edge, groups.count);
  const firstNs = span?.minNs ?? 0n;
  const shiftIn = (segment: Segment): number => Number(segment.baseNs - firstNs);
  const shiftOf = ({ segment }: SegmentScan): number => shiftIn(segment);
  const tagTexts = items.map((item) => (item.kind === 'tag' ? input.tagReader(item.column) : undefined));
  const scanned = new Map<Segment, SegmentScan>();
  for (const scan of scans) {
    if (scan.segment.kind === 'file' && scan.filters.length === 0) offerRuns(scan, shiftOf(scan), edges, shape.edge);
    else scanned.set(scan.segment, scan);
  }
  await scanAll(
    [...scanned.values()],
    {
      pieces: input.pieces,
      backwards: shape.edge === 'newest',
      isWanted: (segment, min, max) => edges.mayImprove(min + shiftIn(segment), max + shiftIn(segment)),
    },
    1,
    (batch, count, segment) => {
      const scan = scanned.get(segment) as SegmentScan;
      edges.offer(batch, count, shiftOf(scan), segment.times, scan);
    },
  );
  const found = edges.found();
  return { rowCount: found.length, columns: items.map((item, i) => vector(item, output[i] as ResultColumn, found, tagTexts[i])) };
}

/** The last (first) row of a run inside the bounds is the only one that counts. */
function offerRuns(scan: SegmentScan, shift: number, edges: Edges, edge: EdgeShape['edge']): void {
  if (scan.segment.kind !== 'file') return;
  const { starts, times } = scan.segment;
  const one: RowBatch = { rows: new Int32Array(1), cells: new Int32Array(1) };
  for (let run = 0; run + 1 < starts.length; run++) {
    const group = scan.groupOf[run] as number;
    if (group < 0) continue;
    const start = firstFrom(times, starts[run] as number, starts[run + 1] as number, scan.minTime);
    const end = firstAfter(times, start, starts[run + 1] as number, scan.maxTime);
    if (start === end) continue;
    one.rows[0] = edge === 'newest' ? end - 1 : start;
    one.cells[0] = group;
    edges.offer(one, 1, shift, times, scan);
  }
}

function vector(
  item: ResolvedRowItem,
  column: ResultColumn,
  found: readonly { readonly row: number; readonly scan: SegmentScan }[],
  tagText: ReturnType<QueryInput['tagReader']> | undefined,
): ResultVector {
  switch (item.kind) {
    case 'time': {
      const data = BigInt64Array.from(found, ({ row, scan }) => scan.segment.baseNs + BigInt(scan.segment.times[row] as number));
      return { kind: 'timestamp', data, valid: undefined };
    }
    case 'tag':
      return textVector(found.map(({ row, scan }) => tagText?.(scan.segment, row) ?? null));
    case 'field':
      return numberVector(column.type.kind, found.length, (i) => {
        const { row, scan } = found[i] as { row: number; scan: SegmentScan };
        const field = fieldOf(scan.segment, item.column);
        return field.valid !== undefined && field.valid[row] === 0 ? undefined : field.values[row];
      });
  }
}
