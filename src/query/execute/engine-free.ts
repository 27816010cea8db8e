import { type DirectAnswer, type DirectExecutor, madeRows } from '../columns/index.ts';
import type { TableReader } from '../scan/sources.ts';
import type { CompiledSql, RelationInfo } from '../sql/types/contract.ts';
import type { CacheRelation } from '../system-tables/index.ts';

export interface EngineFreeOptions {
  readonly direct: DirectExecutor | undefined;
  readonly tables: Pick<TableReader, 'table'>;
  /** Parquet files that one use of a table may read; only DuckDB's way counts them. */
  readonly fileLimit: number | undefined;
}

/** Answers of statements that need no engine: plain rows of a cache, plain questions about one table. */
export class EngineFreeAnswers {
  readonly #options: EngineFreeOptions;

  constructor(options: EngineFreeOptions) {
    this.#options = options;
  }

  /** Undefined = DuckDB must be asked. Work in pieces ends when `signal` is aborted. */
  async answer(
    compiled: CompiledSql,
    database: string,
    cacheOf: (relation: RelationInfo) => CacheRelation | undefined,
    signal?: AbortSignal,
  ): Promise<DirectAnswer | undefined> {
    if (compiled.explain !== 'no') return undefined;
    return (await cachedRows(compiled, cacheOf)) ?? (await this.#direct(compiled, database, signal));
  }

  async #direct(
    { direct: plan, output }: CompiledSql,
    database: string,
    signal: AbortSignal | undefined,
  ): Promise<DirectAnswer | undefined> {
    const { direct, fileLimit, tables } = this.#options;
    if (direct === undefined || plan === undefined || fileLimit !== undefined) return undefined;
    const table = tables.table(database, plan.table);
    return table === undefined ? undefined : direct.run(plan, table, output, signal);
  }
}

async function cachedRows(
  { made, uses, output }: CompiledSql,
  cacheOf: (relation: RelationInfo) => CacheRelation | undefined,
): Promise<DirectAnswer | undefined> {
  const [use] = uses;
  const cache = use === undefined ? undefined : cacheOf(use.relation);
  if (made === undefined || use === undefined || cache === undefined) return undefined;
  const rows = await cache.rows(use.columns);
  const { columns, batch } = madeRows(made, { columns: use.relation.columns, rows }, output);
  return { columns, batches: [batch], partitions: 0, parquetFiles: 0 };
}
