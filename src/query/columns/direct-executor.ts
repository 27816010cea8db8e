import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import { rangesToMerge } from '../../write/scan/index.ts';
import type { ResultBatch, ResultColumn, ResultType } from '../result.ts';
import type { TablePeek, TableReader } from '../scan/sources.ts';
import type { CompiledSql } from '../sql/types/contract.ts';
import type { Aggregate, DirectPlan, GroupItem, RowItem } from '../sql/types/plans.ts';
import type { ColumnStore, NumberColumn } from './column-store.ts';
import { type ResolvedRowItem, runEdges } from './edge-query.ts';
import { isNumberType, type NumberType } from './field-column.ts';
import { runGroups } from './group-query.ts';
import { type Pause, type PieceWork, QueryInput, SCANNED_VALUES_PER_TURN } from './query-input.ts';
import { runRows } from './row-query.ts';

/** Values that a query may look at; beyond it DuckDB's threads are faster than this one. */
const VALUES_MAX = 3_000_000;

/** Values that a query may need in memory: more take too long to load. */
const HELD_VALUES_MAX = 8_000_000;

/** How often what is missing is loaded before the query is left to DuckDB. */
const LOADS_MAX = 2;

export interface DirectExecutorOptions {
  readonly tables: TableReader;
  readonly store: ColumnStore;
  /** Awaited between the pieces of a long answer. */
  readonly pause: Pause;
  /** Values looked at between two pauses; tests look at few. */
  readonly valuesPerTurn?: number;
}

/** A result, and what was read for it. */
export interface DirectAnswer {
  readonly columns: readonly ResultColumn[];
  readonly batches: AsyncIterable<ResultBatch> | readonly ResultBatch[];
  readonly partitions: number;
  readonly parquetFiles: number;
}

/**
 * Answers plain questions from columns in memory: no plan of DuckDB, no turn of a thread. What it cannot answer
 * exactly, or not faster, it leaves to DuckDB.
 *
 * Shared by: all queries; it keeps nothing of any. From the look at files and buffer to the captured arrays of the scan there is
 * no turn, so the answer is of one moment; after a load it looks again.
 */
export class DirectExecutor {
  readonly #tables: TableReader;
  readonly #store: ColumnStore;
  readonly #pieces: PieceWork;

  constructor({ tables, store, pause, valuesPerTurn = SCANNED_VALUES_PER_TURN }: DirectExecutorOptions) {
    this.#pieces = { pause, valuesPerTurn };
    this.#tables = tables;
    this.#store = store;
  }

  /** Undefined = ask DuckDB. Rejects between two pieces of its work once `signal` is aborted, and so do the answer's batches. */
  async run(plan: DirectPlan, table: TableSchema, output: CompiledSql['output'], signal?: AbortSignal): Promise<DirectAnswer | undefined> {
    const wanted = columnsOf(plan, table);
    if (wanted === undefined) return undefined;
    const columns = output.map((column, i): ResultColumn => ({ ...column, type: column.type ?? itemType(plan, table, i) }));
    for (let loads = 0; loads <= LOADS_MAX; loads++) {
      const peek = this.#tables.peek(table, plan.where.minTimeNs, plan.where.maxTimeNs);
      const bounds = { minTimeNs: later(plan.where.minTimeNs, peek.cutoffNs), maxTimeNs: plan.where.maxTimeNs };
      const files = peek.files.filter((file) => overlaps(file, bounds));
      const generations = peek.generations.filter((generation) => [...generation.chunks.values()].some((chunk) => overlaps(chunk, bounds)));
      const rows = [...files.map((file) => file.rowCount), ...generations.map((generation) => generation.rows)].reduce((a, b) => a + b, 0);
      // The newest rows are found by their times alone.
      const perRow = plan.shape.kind !== 'groups' ? 1 + plan.where.filters.length : 1 + wanted.length;
      if (rows * perRow > VALUES_MAX || rows * (1 + wanted.length) > HELD_VALUES_MAX) return undefined;
      if (!this.#isPlain({ ...peek, files, generations }, bounds)) return undefined;
      const answer = this.#store.segments({ table, files, generations, series: peek.series, columns: wanted });
      if (answer === 'cold' || answer === 'unfit') return undefined;
      if ('load' in answer) {
        await answer.load();
        signal?.throwIfAborted();
        continue;
      }
      if (wanted.some((column) => [...answer.files, ...answer.buffers].some((segment) => segment.field(column.id)?.unfit !== false)))
        return undefined;
      const tags = [...plan.where.tags].map(([name, values]) => ({ column: table.columnByName.get(name) as ColumnSchema, values }));
      const filters = plan.where.filters.map(({ column, op, value }) => ({
        column: table.columnByName.get(column) as NumberColumn,
        op,
        value,
      }));
      const input = new QueryInput({
        table,
        pieces: wantedPieces(this.#pieces, signal),
        ready: answer,
        series: peek.series,
        ...bounds,
        tags,
        filters,
      });
      const batches = await answerPlan(plan, table, input, columns);
      if (batches === undefined) return undefined;
      return { columns, batches, partitions: new Set(files.map((file) => file.chunkTimeNs)).size, parquetFiles: files.length };
    }
    return undefined;
  }

  /** True when every stored row is a row of the table: no key twice, nothing deleted. */
  #isPlain({ files, generations, dirtyChunks }: TablePeek, bounds: TimeBounds): boolean {
    if (generations.some((generation) => generation.deletes.length > 0)) return false;
    if (files.some((file) => (file.deletes?.length ?? 0) > 0)) return false;
    const ranges = rangesToMerge(files, generations, dirtyChunks, this.#tables.chunkDurationNs);
    return !ranges.some((range) => overlaps({ minTimeNs: range.from, maxTimeNs: range.to - 1n }, bounds));
  }
}

/** The work of a query that nobody waits for ends at its next pause. */
function wantedPieces({ pause, valuesPerTurn }: PieceWork, signal: AbortSignal | undefined): PieceWork {
  const wantedPause: Pause = async () => {
    await pause();
    signal?.throwIfAborted();
  };
  return { pause: wantedPause, valuesPerTurn };
}

interface TimeBounds {
  readonly minTimeNs: bigint | undefined;
  readonly maxTimeNs: bigint | undefined;
}

async function answerPlan(
  { shape }: DirectPlan,
  table: TableSchema,
  input: QueryInput,
  output: readonly ResultColumn[],
): Promise<DirectAnswer['batches'] | undefined> {
  if (shape.kind === 'rows')
    return runRows(
      input,
      shape,
      shape.items.map((item) => resolveItem(item, table)),
      output,
    );
  const keys = shape.tags.map((name) => table.columnByName.get(name) as ColumnSchema);
  if (shape.kind === 'edge') {
    const items = shape.items.map((item) => resolveItem(item, table));
    return one(await runEdges(input, shape, keys, items, output));
  }
  const aggregates = shape.aggregates.map(({ name, column }) => ({
    name,
    column: column === undefined ? undefined : (table.columnByName.get(column) as NumberColumn),
  }));
  return one(await runGroups(input, shape, keys, aggregates, output));
}

function one(batch: ResultBatch | undefined): readonly ResultBatch[] | undefined {
  return batch === undefined ? undefined : [batch];
}

/** Type of an output column that the compiler leaves to DuckDB. */
function itemType({ shape }: DirectPlan, table: TableSchema, index: number): ResultType {
  const typeOf = (name: string): ResultType => fieldTypes[(table.columnByName.get(name) as NumberColumn).type];
  if (shape.kind !== 'groups') {
    const item = shape.items[index] as RowItem;
    if (item.kind === 'field') return typeOf(item.name);
    return item.kind === 'tag' ? { kind: 'string', dictionary: true } : { kind: 'timestamp', zone: undefined };
  }
  const item = shape.items[index] as GroupItem;
  if (item.kind === 'tag') return { kind: 'string', dictionary: true };
  if (item.kind === 'bin') return { kind: 'timestamp', zone: undefined };
  const { name, column } = shape.aggregates[item.index] as Aggregate;
  if (name === 'count' || column === undefined) return { kind: 'int64' };
  return name === 'avg' ? { kind: 'float64' } : typeOf(column);
}

const fieldTypes: Readonly<Record<NumberType, ResultType>> = {
  float: { kind: 'float64' },
  integer: { kind: 'int64' },
  uinteger: { kind: 'uint64' },
};

function resolveItem(item: RowItem, table: TableSchema): ResolvedRowItem {
  if (item.kind === 'time') return item;
  const column = table.columnByName.get(item.name) as ColumnSchema;
  return item.kind === 'tag' ? { kind: 'tag', column } : { kind: 'field', column: column as NumberColumn };
}

/** The number fields that a plan reads, each once; undefined when the table has others under their names by now. */
function columnsOf({ shape, where }: DirectPlan, table: TableSchema): NumberColumn[] | undefined {
  const names = new Set(where.filters.map((filter) => filter.column));
  if (shape.kind === 'groups') for (const { column } of shape.aggregates) if (column !== undefined) names.add(column);
  if (shape.kind !== 'groups') for (const item of shape.items) if (item.kind === 'field') names.add(item.name);
  const tagNames = [...(shape.kind === 'rows' ? [] : shape.tags), ...where.tags.keys()];
  if (shape.kind !== 'groups') for (const item of shape.items) if (item.kind === 'tag') tagNames.push(item.name);
  if (tagNames.some((name) => table.columnByName.get(name)?.type !== 'tag')) return undefined;
  const columns: NumberColumn[] = [];
  for (const name of names) {
    const column = table.columnByName.get(name);
    if (column === undefined || !isNumberType(column.type)) return undefined;
    columns.push(column as NumberColumn);
  }
  return columns;
}

function overlaps(span: { readonly minTimeNs: bigint; readonly maxTimeNs: bigint }, bounds: TimeBounds): boolean {
  if (bounds.minTimeNs !== undefined && span.maxTimeNs < bounds.minTimeNs) return false;
  return bounds.maxTimeNs === undefined || span.minTimeNs <= bounds.maxTimeNs;
}

function later(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
