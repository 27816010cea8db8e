import { readFile, unlink } from 'node:fs/promises';
import { type EngineConnection, sqlString } from '../../duckdb/index.ts';
import { encapsulated, schemaMessage } from '../../shared/arrow/schema-message.ts';
import { queryCancelled } from '../query-cancelled.ts';
import type { ResultColumn } from '../result.ts';
import { arrowSchema } from '../results/arrow-fields.ts';
import { fileColumns, markInstants, needsArrowSchema } from '../results/parquet-zones.ts';
import { resultColumns } from '../results/result-columns.ts';
import { needsTooMuchMemory } from './memory-watch.ts';
import { planRows, type StreamQuery } from './stream-query.ts';

/** A query whose rows become a file first. */
export interface FileQuery extends Pick<StreamQuery, 'engine' | 'memory' | 'lane' | 'sql' | 'output' | 'explain' | 'signal' | 'mapError'> {
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
      let columns: readonly ResultColumn[] | undefined;
      const write = async (): Promise<void> => {
        const sql = query.explain === 'no' ? query.sql : planTable(await planRows(connection, query.sql, query.explain));
        columns = await columnsOfSchema(connection, query);
        const schema = columns === undefined ? '' : `, KV_METADATA {'ARROW:schema': ${sqlString(schemaText(columns))}}`;
        await connection.run(`COPY (${sql}) TO ${sqlString(path)} (FORMAT parquet, COMPRESSION zstd${schema})`);
      };
      await query.lane.take({ run: () => watched.during(() => connection.together(write)), signal, interrupt });
      const file = await readFile(path);
      if (columns !== undefined) markInstants(file, columns);
      return file;
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

/** The columns of a file that needs an Arrow schema for readers to know its zones and durations. */
async function columnsOfSchema(
  connection: EngineConnection,
  { sql, output, explain }: FileQuery,
): Promise<readonly ResultColumn[] | undefined> {
  if (explain !== 'no' || !output.some(({ type }) => needsArrowSchema(type))) return undefined;
  const { columns } = await connection.describe(sql);
  return fileColumns(resultColumns(output, columns));
}

/** The value of the key `ARROW:schema`, as Arrow's own writers make it. */
function schemaText(columns: readonly ResultColumn[]): string {
  return encapsulated(schemaMessage(arrowSchema(columns))).toString('base64');
}

/** The rows of EXPLAIN as a statement, for what DuckDB itself must write. */
function planTable(rows: readonly (readonly [string, string])[]): string {
  return `SELECT * FROM (VALUES ${rows.map((row) => `(${row.map(sqlString).join(', ')})`).join(', ')}) AS t(plan_type, plan)`;
}
