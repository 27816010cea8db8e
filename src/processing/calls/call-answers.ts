import type { ResultBatch } from '../../query/result.ts';
import type { Blocks } from './blocks.ts';
import type { PluginCalls, QueryParams } from './plugin-host.ts';
import { checkTypes, encodeResult, UnsupportedType } from './result-encoder.ts';

/** Why a query of a plugin failed, in the form that hosts make an exception of. */
export interface QueryProblem {
  readonly name: 'QueryError' | 'ValueError';
  readonly text: string;
}

export interface QueryOfPlugin {
  readonly database: string;
  readonly sql: string;
  readonly params: QueryParams;
}

/**
 * Runs a query of a plugin and hands over its rows piece by piece; `send` resolves when the next one is wanted.
 * Resolves with what went wrong, if anything did.
 */
export async function answerQuery(
  calls: PluginCalls,
  { database, sql, params }: QueryOfPlugin,
  send: (blocks: Blocks) => Promise<void>,
  signal: AbortSignal,
): Promise<QueryProblem | undefined> {
  try {
    const result = await calls.query(database, sql, params, signal);
    try {
      checkTypes(result.columns);
      for await (const batch of result.batches()) {
        if (signal.aborted) break;
        if (batch.rowCount > 0) await send(encodeResult(result.columns, batch satisfies ResultBatch));
      }
    } finally {
      result.cancel();
    }
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedType) return { name: 'ValueError', text: error.message };
    return { name: 'QueryError', text: error instanceof Error ? error.message : String(error) };
  }
}
