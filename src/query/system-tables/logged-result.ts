import { queryCancelled } from '../query-cancelled.ts';
import type { QueryResult, QueryStatistics, ResultBatch, ResultColumn } from '../result.ts';
import type { QueryLogEntry } from './query-log.ts';

/**
 * A result whose end is written to the query log: at the last row, not at the first one, so that a failure half-way
 * and a client that leaves show as what they are.
 */
export class LoggedResult implements QueryResult {
  readonly #result: QueryResult;
  readonly #entry: QueryLogEntry;

  constructor(result: QueryResult, entry: QueryLogEntry) {
    this.#result = result;
    this.#entry = entry;
    // Its reader may not come for the next rows.
    entry.signal.addEventListener('abort', () => entry.abandon(), { once: true });
    if (entry.signal.aborted) entry.abandon();
  }

  get columns(): readonly ResultColumn[] {
    return this.#result.columns;
  }

  async *batches(): AsyncGenerator<ResultBatch> {
    try {
      for await (const batch of this.#result.batches()) {
        this.#requireWanted();
        yield batch;
        this.#requireWanted();
      }
      this.#entry.succeed();
    } catch (error) {
      this.#entry.fail();
      throw error;
    } finally {
      this.#entry.cancel();
    }
  }

  /** Results from memory know nothing of signals. */
  #requireWanted(): void {
    const { signal } = this.#entry;
    if (signal.aborted) throw queryCancelled(signal);
  }

  statistics(): QueryStatistics {
    return this.#entry.statistics();
  }

  cancel(): void {
    this.#result.cancel();
    this.#entry.cancel();
  }
}
