import type { ColumnSchema } from '../../catalog/schema.ts';
import type { ResultBatch, ResultColumn, ResultVector } from '../result.ts';
import { binStart } from '../sql/functions/time.ts';
import type { Aggregate, GroupShape, OrderTerm } from '../sql/types/plans.ts';
import { byBytes } from '../system-tables/index.ts';
import { Accumulator, countRows, type FieldValues } from './accumulator.ts';
import type { NumberColumn } from './column-store.ts';
import { fieldOf, isWhole, type QueryInput, scanAll } from './query-input.ts';
import type { RowGroups } from './row-groups.ts';
import type { TimeBins } from './row-scan.ts';
import type { Segment } from './segment.ts';
import { numberVector } from './vectors.ts';

/** Cells that a query may have: 24 bytes each and aggregate. */
const CELLS_MAX = 500_000;

const SUM_MAX = 2 ** 53;

/** An aggregate with its column found. */
export interface ResolvedAggregate {
  readonly name: Aggregate['name'];
  readonly column: NumberColumn | undefined;
}

/** Runs a grouped query. Undefined when it has too many groups, or sums that may not be exact. */
export async function runGroups(
  input: QueryInput,
  shape: GroupShape,
  keys: readonly ColumnSchema[],
  aggregates: readonly ResolvedAggregate[],
  output: readonly ResultColumn[],
): Promise<ResultBatch | undefined> {
  const groups = input.groupsBy(keys);
  const scans = input.scans(groups);
  const bins = binsOf(input, shape);
  if (!input.isExactFrom(bins.firstNs)) return undefined;
  const cellCount = Math.max(1, groups.count) * bins.count;
  if (cellCount > CELLS_MAX) return undefined;
  const sums = aggregates.filter(({ name, column }) => (name === 'sum' || name === 'avg') && column?.type !== 'float');
  for (const { column } of sums) {
    let most = 0;
    for (const { segment } of scans) most += segment.rowCount * fieldOf(segment, column as NumberColumn).maxAbs;
    if (most >= SUM_MAX) return undefined;
  }
  const rowCounts = new Int32Array(cellCount);
  const fields = new Map(
    scans.map(({ segment }): [Segment, (FieldValues | undefined)[]] => [
      segment,
      aggregates.map(({ column }) => valuesOf(segment, column)),
    ]),
  );
  const accumulators = aggregates.map(({ name }, i) => {
    const hasNulls = [...fields.values()].some((columns) => columns[i]?.valid !== undefined);
    return new Accumulator(name, cellCount, hasNulls);
  });
  const countsOnly = aggregates.every(({ name }) => name === 'count') && accumulators.every(({ counts }) => counts === undefined);
  if (countsOnly && cellCount === 1 && input.tagCount === 0 && scans.every(isWhole)) {
    for (const { segment } of scans) rowCounts[0] = (rowCounts[0] as number) + segment.rowCount;
  } else {
    await scanAll(scans, { binsOf: bins.of, pieces: input.pieces }, aggregates.length + 1, (batch, count, segment) => {
      countRows(rowCounts, batch, count);
      fields.get(segment)?.forEach((field, i) => {
        if (field !== undefined) accumulators[i]?.add(batch, count, field);
      });
    });
  }
  const cells = new GroupCells({ groups, bins, rowCounts, shape, aggregates, accumulators });
  return cells.batch(output);
}

/** Undefined = no field is read. Arrays that a buffer segment may replace are taken before the first turn ends. */
function valuesOf(segment: Segment, column: NumberColumn | undefined): FieldValues | undefined {
  if (column === undefined) return undefined;
  const { values, valid } = fieldOf(segment, column);
  return { values, valid };
}

interface Bins {
  readonly count: number;
  /** Start of bin 0. */
  readonly firstNs: bigint;
  readonly widthNs: bigint;
  readonly of: (segment: Segment) => TimeBins | undefined;
}

function binsOf({ span }: QueryInput, { bin }: GroupShape): Bins {
  if (bin === undefined || span === undefined) return { count: 1, firstNs: span?.minNs ?? 0n, widthNs: 0n, of: () => undefined };
  const firstNs = binStart(bin, span.minNs, bin.originNs);
  const count = Number((span.maxNs - firstNs) / bin.ns) + 1;
  return {
    count,
    firstNs,
    widthNs: bin.ns,
    of: (segment) => ({ shift: Number(segment.baseNs - firstNs), width: Number(bin.ns), count }),
  };
}

interface CellParts {
  readonly groups: RowGroups;
  readonly bins: Bins;
  readonly rowCounts: Int32Array;
  readonly shape: GroupShape;
  readonly aggregates: readonly ResolvedAggregate[];
  readonly accumulators: readonly Accumulator[];
}

/** The filled cells, in order, as a result. */
class GroupCells {
  readonly #parts: CellParts;

  constructor(parts: CellParts) {
    this.#parts = parts;
  }

  batch(output: readonly ResultColumn[]): ResultBatch {
    const { shape } = this.#parts;
    const sorted = this.#sorted();
    const cells = sorted.slice(shape.offset, shape.limit === undefined ? undefined : shape.offset + shape.limit);
    return { rowCount: cells.length, columns: shape.items.map((item, i) => this.#vector(item, output[i] as ResultColumn, cells)) };
  }

  /** Bin after bin: the order that most statements ask for. */
  #sorted(): number[] {
    const { groups, bins, rowCounts, shape } = this.#parts;
    const isGlobal = shape.bin === undefined && shape.tags.length === 0;
    const cells: number[] = [];
    for (let bin = 0; bin < bins.count; bin++) {
      for (let group = 0; group < groups.count; group++) {
        const cell = group * bins.count + bin;
        if (isGlobal || (rowCounts[cell] as number) > 0) cells.push(cell);
      }
    }
    const [first] = shape.order;
    if (first === undefined || (shape.order.length === 1 && shape.tags.length === 0 && this.#isAscendingBin(first))) return cells;
    const compare = shape.order.map((term) => this.#comparison(term));
    return cells.sort((a, b) => {
      for (const by of compare) {
        const result = by(a, b);
        if (result !== 0) return result;
      }
      return 0;
    });
  }

  #isAscendingBin({ item, descending }: OrderTerm): boolean {
    return !descending && this.#parts.shape.items[item]?.kind === 'bin';
  }

  #comparison({ item, descending, nullsFirst }: OrderTerm): (a: number, b: number) => number {
    const { bins, shape } = this.#parts;
    const sign = descending ? -1 : 1;
    const nulls = nullsFirst ? -1 : 1;
    const by = shape.items[item];
    if (by?.kind === 'bin') return (a, b) => sign * ((a % bins.count) - (b % bins.count));
    if (by?.kind === 'tag') {
      const ranks = this.#ranks(by.index);
      return (a, b) => {
        const [x, y] = [ranks[Math.floor(a / bins.count)] as number, ranks[Math.floor(b / bins.count)] as number];
        if (x === y) return 0;
        if (x < 0 || y < 0) return x < 0 ? nulls : -nulls;
        return sign * (x - y);
      };
    }
    const index = by?.index ?? 0;
    return (a, b) => {
      const [x, y] = [this.#value(index, a), this.#value(index, b)];
      if (x === y) return 0;
      if (x === undefined || y === undefined) return x === undefined ? nulls : -nulls;
      return sign * (x - y);
    };
  }

  /** Place of each group's key among all of them, by the bytes of the texts; -1 = null. */
  #ranks(key: number): Int32Array {
    const { groups } = this.#parts;
    const texts = Array.from({ length: groups.count }, (_, group) => groups.text(group, key));
    const distinct = [...new Set(texts)].filter((text) => text !== null);
    const order = new Map(distinct.sort(byBytes).map((text, rank): [string, number] => [text, rank]));
    return Int32Array.from(texts, (text) => (text === null ? -1 : (order.get(text) as number)));
  }

  /** Undefined = null. */
  #value(index: number, cell: number): number | undefined {
    const { aggregates, accumulators, rowCounts } = this.#parts;
    const aggregate = aggregates[index];
    const accumulator = accumulators[index] as Accumulator;
    if (aggregate?.column === undefined) return rowCounts[cell];
    const count = (accumulator.counts ?? rowCounts)[cell] as number;
    if (aggregate.name === 'count') return count;
    if (count === 0) return undefined;
    const value = accumulator.values[cell] as number;
    return aggregate.name === 'avg' ? value / count : value;
  }

  #vector(item: GroupShape['items'][number], column: ResultColumn, cells: readonly number[]): ResultVector {
    const { bins } = this.#parts;
    switch (item.kind) {
      case 'bin': {
        const data = BigInt64Array.from(cells, (cell) => bins.firstNs + BigInt(cell % bins.count) * bins.widthNs);
        return { kind: 'timestamp', data, valid: undefined };
      }
      case 'tag':
        return this.#tagVector(item.index, cells);
      case 'aggregate':
        return numberVector(column.type.kind, cells.length, (row) => this.#value(item.index, cells[row] as number));
    }
  }

  #tagVector(index: number, cells: readonly number[]): ResultVector {
    const { groups, bins } = this.#parts;
    const texts = Array.from({ length: groups.count }, (_, group) => groups.text(group, index));
    const codes = Int32Array.from(cells, (cell) => {
      const group = Math.floor(cell / bins.count);
      return texts[group] === null ? -1 : group;
    });
    return { kind: 'coded', codes, texts: texts.map((text) => text ?? '') };
  }
}
