import type { DuckDBType } from '@duckdb/node-api';
import type { Engine } from '../../duckdb/index.ts';
import type { QueryLane } from '../../scheduling/index.ts';
import type { InfluxError } from '../../shared/errors.ts';
import { queryCancelled } from '../query-cancelled.ts';
import type { StatementDescription } from '../query-service.ts';
import type { ResultColumn } from '../result.ts';
import { parameterType, resultColumns } from '../results/result-columns.ts';
import { digestedColumn } from '../results/result-digests.ts';
import type { CompiledSql } from '../sql/types/contract.ts';

/** A statement that is looked at without being run. */
export interface DescribedQuery {
  readonly engine: Engine;
  readonly lane: QueryLane;
  readonly compiled: CompiledSql;
  readonly sql: string;
  /** The statement as it was written. */
  readonly text: string;
  readonly signal: AbortSignal | undefined;
  readonly mapError: (error: unknown) => InfluxError;
}

/** Columns and open parameters of a statement: the columns are those that its result would have. */
export async function describePlan({ engine, lane, compiled, sql, text, signal, mapError }: DescribedQuery): Promise<StatementDescription> {
  if (compiled.explain !== 'no') return { columns: ['plan_type', 'plan'].map(textColumn), parameters: [] };
  const connection = await engine.acquire();
  try {
    const types = await lane.take({ run: () => connection.describe(sql), signal });
    const { output } = compiled;
    const columns = resultColumns(output, types.columns).map((column, i) => digestedColumn(column, output[i]?.digest));
    const parameters = (compiled.openParams ?? []).map((name, i) => ({ name, type: typeOf(types.parameters.get(`p${i}`)) }));
    return { columns, parameters: parameters.sort((a, b) => placeOf(a.name, text) - placeOf(b.name, text)) };
  } catch (error) {
    throw signal?.aborted === true ? queryCancelled(signal) : mapError(error);
  } finally {
    engine.release(connection);
  }
}

/** Numbered parameters go by their numbers, others by where they first stand in the text. */
function placeOf(name: string, text: string): number {
  return /^\d+$/.test(name) ? Number(name) : text.indexOf(`$${name}`);
}

/** What is not in the printed statement is a number of rows, of LIMIT or OFFSET. */
function typeOf(type: DuckDBType | undefined): StatementDescription['parameters'][number]['type'] {
  return type === undefined ? { kind: 'int64' } : parameterType(type);
}

function textColumn(name: string): ResultColumn {
  return { name, type: { kind: 'string', dictionary: false } };
}
