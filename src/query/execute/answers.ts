import { join } from 'node:path';
import type { Engine } from '../../duckdb/index.ts';
import type { Lanes } from '../../scheduling/index.ts';
import type { InfluxError } from '../../shared/errors.ts';
import type { StatementDescription } from '../query-service.ts';
import type { QueryResult } from '../result.ts';
import { mapEngineError, notImplemented } from '../sql/index.ts';
import type { CompiledSql } from '../sql/types/contract.ts';
import { describePlan } from './describe.ts';
import { fileResult } from './file-result.ts';
import type { MemoryWatch } from './memory-watch.ts';
import { laneOf, type Plan } from './plan.ts';
import { streamQuery } from './stream-query.ts';

export interface AnswersOptions {
  readonly memory: MemoryWatch;
  readonly lanes: Lanes;
  /** For results that must be a file first; one of DuckDB's allowed directories. */
  readonly temporaryDirectory: string;
}

/** Statements that read more rows than this stay streams, so that their first rows come soon. */
const COLLECTED_SCAN_ROWS_MAX = 5_000_000;

/**
 * Runs plans in DuckDB: as a stream of batches or as a Parquet file. These two release the plan when they are done with it, and
 * throw what clients see.
 *
 * Shared by: all statements. Safe because each has a connection and a file name of its own.
 */
export class Answers {
  readonly #options: AnswersOptions;
  #temporaryFiles = 0;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** Resolves when the first batch is there. The plan is released when the result ends, or at once on failure. */
  async stream(engine: Engine, compiled: CompiledSql, plan: Plan, signal: AbortSignal | undefined): Promise<QueryResult> {
    const { lanes, memory } = this.#options;
    try {
      return await streamQuery({
        engine,
        memory,
        lane: lanes.query(laneOf(compiled, plan)),
        sql: plan.sql,
        output: compiled.output,
        explain: compiled.explain,
        small: compiled.small === true,
        collect: compiled.unordered === true && plan.scannedRows <= COLLECTED_SCAN_ROWS_MAX,
        signal,
        mapError: (error) => engine.failure ?? mapEngineError(error),
        onEnd: plan.release,
      });
    } catch (error) {
      plan.release();
      throw engine.failure ?? mapEngineError(error);
    }
  }

  /** The columns of the result, and the parameters that have no value. `text` is the statement as it was written. Leaves the plan to its owner. */
  describe(
    engine: Engine,
    compiled: CompiledSql,
    plan: Plan,
    { text, signal }: { readonly text: string; readonly signal: AbortSignal | undefined },
  ): Promise<StatementDescription> {
    const mapError = (error: unknown): InfluxError => engine.failure ?? mapEngineError(error);
    return describePlan({ engine, lane: this.#options.lanes.query('light'), compiled, sql: plan.sql, text, signal, mapError });
  }

  /** The whole result as the bytes of one Parquet file. */
  parquet(engine: Engine, compiled: CompiledSql, plan: Plan, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { lanes, memory, temporaryDirectory } = this.#options;
    return fileResult({
      engine,
      memory,
      lane: lanes.query(laneOf(compiled, plan)),
      sql: plan.sql,
      output: compiled.output,
      explain: compiled.explain,
      path: join(temporaryDirectory, `result-${process.pid}-${this.#temporaryFiles++}.parquet`),
      signal,
      mapError: (error) => engine.failure ?? mapEngineError(error),
      onEnd: plan.release,
    });
  }
}

/** Throws for a statement whose result DuckDB cannot write as a file by itself. */
export function requireFileResult(compiled: CompiledSql): void {
  const digested = compiled.output.find((column) => column.digest !== undefined);
  if (digested !== undefined) throw notImplemented(`${digested.digest?.algorithm} of a value that is not a constant, in a Parquet file`);
}
