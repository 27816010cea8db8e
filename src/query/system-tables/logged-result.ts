import type { QueryResult, QueryStatistics, ResultBatch, ResultColumn } from '../result.ts';
import type { QueryLogEntry } from './query-log.ts';

/**
 * A result whose end is written to the query log: at the last row, not at the first one, so that a failure half-way
 * and a client that leaves show as what they are.
 */
export class LoggedResult implements QueryResult {
  readonly #result: QueryResult;
  readonly #entry: QueryLogEntry;
  readonly #signal: AbortSignal | undefined;

  constructor(result: QueryResult, entry: QueryLogEntry, signal: AbortSignal | undefined) {
    this.#result = result;
    this.#entry = entry;
    this.#signal = signal;
  }

  get columns(): readonly ResultColumn[] {
    return this.#result.columns;
  }

  async *batches(): AsyncGenerator<ResultBatch> {
    try {
      yield* this.#result.batches();
      if (this.#signal?.aborted !== true) this.#entry.succeed();
    } catch (error) {
      if (this.#signal?.aborted !== true) this.#entry.fail();
      throw error;
    } finally {
      this.#entry.cancel();
    }
  }

  statistics(): QueryStatistics {
    return this.#entry.statistics();
  }

  cancel(): void {
    this.#result.cancel();
    this.#entry.cancel();
  }
}
