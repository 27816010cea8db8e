import { InfluxError } from '../shared/errors.ts';

/** What a text of DuckDB says about the state of the instance; user texts can occur inside it, so only a try is sure. */
export type Suspicion = 'none' | 'possible' | 'certain';

/** After these, DuckDB refuses every statement until the instance is opened anew. */
const CERTAIN = /^(FATAL Error|TransactionContext Error: Failed to (commit|rollback): FATAL Error)/;

/** Among others `Database "memory" has been invalidated because checkpointing failed`: the tables are gone, the instance goes on. */
const POSSIBLE = /FATAL|INTERNAL|invalidated|checkpoint failed/i;

/** How likely it is that the failure of a call took the whole instance down. */
export function suspicionOf(error: unknown): Suspicion {
  const text = error instanceof Error ? error.message : String(error);
  if (CERTAIN.test(text)) return 'certain';
  return POSSIBLE.test(text) ? 'possible' : 'none';
}

/** How appends and commits word that there is no memory; the front of the text is DuckDB's own. */
const NO_MEMORY = /^((TransactionContext Error: )?Failed to (append|commit): )+(could not|failed to) (allocate|pin|offload) /;

/** The same failure, called an `Out of Memory Error` as DuckDB itself calls it elsewhere: it passes when there is memory again. */
export function withMemoryNamed(error: unknown): unknown {
  if (!(error instanceof Error) || !NO_MEMORY.test(error.message)) return error;
  return new Error(`Out of Memory Error: ${error.message}`, { cause: error });
}

/** DuckDB is gone and is opened again by the server; what was acknowledged is safe. */
export function engineFailed(cause?: unknown): InfluxError {
  return new InfluxError({
    code: 'ENGINE_RESTARTING',
    message: 'the query engine failed and is being opened again, try again in a moment',
    status: 503,
    cause,
  });
}
