import type { Catalog, TableSchema } from '../catalog/index.ts';
import type { SqlRequest } from '../query/query-service.ts';
import type { QueryResult } from '../query/result.ts';
import { plainAt } from '../query/results/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { DistinctValueCache } from './distinct-value.ts';
import type { LastValueCache } from './last-value.ts';
import { HISTORY_ROWS_MAX, HISTORY_TIMEOUT_MS } from './limits.ts';
import type { Value } from './values.ts';

export interface HistoryReaderOptions {
  readonly catalog: Pick<Catalog, 'databaseById'>;
  readonly clock: Clock;
  /** Runs a query of the server itself. */
  readonly query: (request: SqlRequest) => Promise<QueryResult>;
}

/** Fills caches from stored rows that are young enough to be shown. Bounded in rows and time. */
export class HistoryReader {
  readonly #options: HistoryReaderOptions;

  constructor(options: HistoryReaderOptions) {
    this.#options = options;
  }

  async last(table: TableSchema, cache: LastValueCache): Promise<void> {
    const { count, ttlSecs } = cache.definition;
    const columns = cache.columns();
    const time = columns.find((column) => column.type === 'time') ?? table.columns.find((column) => column.type === 'time');
    if (time === undefined) return;
    const read = [time, ...columns.filter((column) => column.type !== 'time')];
    const keys = columns.filter((column) => column.key).map(({ name }) => quoted(name));
    const names = read.map(({ name }) => quoted(name)).join(', ');
    const partition = keys.length === 0 ? '' : `PARTITION BY ${keys.join(', ')} `;
    const conditions = [`"time" > ${this.#timeText(ttlSecs)}`, ...keys.map((key) => `${key} IS NOT NULL`)].join(' AND ');
    const ranked = `SELECT ${names}, row_number() OVER (${partition}ORDER BY "time" DESC) AS ${RANK} FROM ${quoted(table.name)} WHERE ${conditions}`;
    const query = `SELECT ${names} FROM (${ranked}) AS ranked WHERE ${RANK} <= ${count} ORDER BY "time" DESC LIMIT ${HISTORY_ROWS_MAX}`;
    await this.#run(table, query, (cells) => {
      const values = new Map<number, Value>();
      read.forEach((column, at) => {
        if (column.type !== 'time') values.set(column.id, cells[at] ?? null);
      });
      cache.addHistory({ timeNs: cells[0] as bigint, values });
    });
  }

  async distinct(table: TableSchema, cache: DistinctValueCache): Promise<void> {
    const { maxAgeSecs, maxCardinality } = cache.definition;
    const names = cache.columns().map(({ name }) => quoted(name));
    const order = `ORDER BY ${SEEN} DESC LIMIT ${Math.min(maxCardinality, HISTORY_ROWS_MAX)}`;
    const query = `SELECT max("time") AS ${SEEN}, ${names.join(', ')} FROM ${quoted(table.name)} WHERE "time" > ${this.#timeText(maxAgeSecs)} GROUP BY ${names.join(', ')} ${order}`;
    await this.#run(table, query, (cells) => cache.addHistory(cells.slice(1) as (string | null)[], cells[0] as bigint));
  }

  async #run(table: TableSchema, query: string, take: (cells: readonly Value[]) => void): Promise<void> {
    const database = this.#options.catalog.databaseById(table.databaseId);
    if (database === undefined) return;
    const signal = AbortSignal.timeout(HISTORY_TIMEOUT_MS);
    const result = await this.#options.query({ database: database.name, query, params: new Map(), signal });
    for await (const { columns, rowCount } of result.batches()) {
      for (let row = 0; row < rowCount; row++) take(columns.map((column) => plainAt(column, row)));
    }
  }

  /** The moment `ageSecs` ago; the beginning of all times when that is before 1970. */
  #timeText(ageSecs: number): string {
    const fromMs = Math.max(0, this.#options.clock.nowMs() - ageSecs * 1000);
    return `'${new Date(fromMs).toISOString()}'`;
  }
}

const RANK = '"cache fill rank"';
const SEEN = '"cache fill seen"';

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
