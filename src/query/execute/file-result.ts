import { readFile, unlink } from 'node:fs/promises';
import { sqlString } from '../../duckdb/index.ts';
import { needsTooMuchMemory } from './memory-watch.ts';
import { planRows, queryCancelled, type StreamQuery } from './stream-query.ts';

/** A query whose rows become a file first. */
export interface FileQuery extends Pick<StreamQuery, 'engine' | 'memory' | 'lane' | 'sql' | 'explain' | 'signal' | 'mapError'> {
  /** Of the file; inside DuckDB's allowed directories. It is gone at the end. */
  readonly path: string;
  /** Called exactly once, when DuckDB no longer needs what the query reads. */
  readonly onEnd: () => void;
}

/** The rows of a query as one complete Parquet file. Throws catalogue errors. */
export async function fileResult(query: FileQuery): Promise<Uint8Array> {
  const { engine, memory, path, signal } = query;
  try {
    const connection = await engine.acquire();
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener('abort', interrupt, { once: true });
    const watched = memory.watch(interrupt, engine.memoryLimitBytes);
    try {
      const write = async (): Promise<void> => {
        const sql = query.explain === 'no' ? query.sql : planTable(await planRows(connection, query.sql, query.explain));
        await connection.run(`COPY (${sql}) TO ${sqlString(path)} (FORMAT parquet, COMPRESSION zstd)`);
      };
      await query.lane.take({ run: () => watched.during(write), signal, interrupt });
      return await readFile(path);
    } catch (error) {
      if (watched.exceeded) throw needsTooMuchMemory(error);
      throw signal?.aborted === true ? queryCancelled(signal) : query.mapError(error);
    } finally {
      watched.done();
      signal?.removeEventListener('abort', interrupt);
      engine.release(connection);
    }
  } finally {
    query.onEnd();
    await unlink(path).catch(() => undefined); // absent when the query failed
  }
}

/** The rows of EXPLAIN as a statement, for what DuckDB itself must write. */
function planTable(rows: readonly (readonly [string, string])[]): string {
  return `SELECT * FROM (VALUES ${rows.map((row) => `(${row.map(sqlString).join(', ')})`).join(', ')}) AS t(plan_type, plan)`;
}
