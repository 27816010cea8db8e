import { DuckDBInstance } from '@duckdb/node-api';
import { CommandFailure } from '../client/failure.ts';
import type { ImportRow } from './row-pieces.ts';

export interface ParquetMapping {
  readonly table: string | undefined;
  readonly time: string | undefined;
  /** Undefined = the texts, or what the file itself calls tags. */
  readonly tags: readonly string[] | undefined;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** Rows of a Parquet file, read by DuckDB, which also makes the lines. `skip` = rows that were imported before. */
export async function parquetRows(
  path: string,
  mapping: ParquetMapping,
  skip: number,
): Promise<{ readonly total: number; readonly rows: AsyncIterable<ImportRow> }> {
  const { table } = mapping;
  if (table === undefined) throw new CommandFailure('a Parquet file names no table', { hint: 'give it with --table' });
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
  const connection = await instance.connect();
  const file = quotedText(path);
  const ask = async (sql: string): Promise<readonly (readonly unknown[])[]> => (await connection.runAndReadAll(sql)).getRows();
  const described = await ask(`DESCRIBE SELECT * FROM read_parquet(${file})`).catch((error: unknown) => {
    throw new CommandFailure(`the Parquet file cannot be read: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  });
  const columns = described.map(([name, type]) => ({ name: String(name), type: String(type) }));
  const time = columns.find(({ name }) => name === (mapping.time ?? 'time'));
  if (time === undefined) {
    throw new CommandFailure(`the file has no column ${mapping.time ?? 'time'}`, {
      hint: `name the one with the times with --time-column; it has ${columns.map(({ name }) => name).join(', ')}`,
    });
  }
  const tags = mapping.tags ?? columns.filter(({ type }) => type === 'VARCHAR' || type.startsWith('ENUM')).map(({ name }) => name);
  for (const tag of tags) if (!columns.some(({ name }) => name === tag)) throw new CommandFailure(`the file has no column ${tag}`);
  const [[total] = [0]] = await ask(`SELECT count(*) FROM read_parquet(${file})`);
  const sql = `SELECT ${lineExpression(table, time, tags, columns)} AS line FROM read_parquet(${file}) OFFSET ${skip}`;
  const rows = async function* (): AsyncIterable<ImportRow> {
    try {
      const result = await connection.stream(sql);
      let row = skip;
      for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        const lines = chunk.getColumnVector(0);
        for (let index = 0; index < chunk.rowCount; index += 1) {
          row += 1;
          const line = lines.getItem(index);
          if (typeof line === 'string') yield { line, sourceLine: row, position: row };
        }
      }
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };
  return { total: Number(total), rows: rows() };
}

/** A SQL text that makes the line of a row; null for a row without fields. */
function lineExpression(table: string, time: Column, tags: readonly string[], columns: readonly Column[]): string {
  const tagParts = tags.map((name) => {
    const value = `CAST(${quotedName(name)} AS VARCHAR)`;
    return `CASE WHEN coalesce(${value}, '') = '' THEN '' ELSE ${quotedText(`,${escapedKey(name)}=`)} || ${escapedValue(value)} END`;
  });
  const fields = columns.filter(({ name }) => name !== time.name && !tags.includes(name));
  const fieldParts = fields.map(({ name, type }) => `${quotedText(`${escapedKey(name)}=`)} || ${fieldText(quotedName(name), type)}`);
  if (fieldParts.length === 0)
    throw new CommandFailure('the file has no column for a field', { hint: 'name fewer columns with --tag-columns' });
  const head = [quotedText(table.replace(/[, ]/g, '\\$&')), ...tagParts].join(' || ');
  return `${head} || ' ' || nullif(concat_ws(',', ${fieldParts.join(', ')}), '') || ' ' || ${timeText(time)}`;
}

function fieldText(column: string, type: string): string {
  if (/^(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(type)) return `CAST(${column} AS VARCHAR) || 'i'`;
  if (/^U(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(type)) return `CAST(${column} AS VARCHAR) || 'u'`;
  if (type === 'BOOLEAN') return `CAST(${column} AS VARCHAR)`;
  if (/^(?:FLOAT|DOUBLE|DECIMAL)/.test(type))
    return `CASE WHEN isfinite(CAST(${column} AS DOUBLE)) THEN CAST(CAST(${column} AS DOUBLE) AS VARCHAR) END`;
  return `'"' || replace(replace(CAST(${column} AS VARCHAR), '\\', '\\\\'), '"', '\\"') || '"'`;
}

/** Nanoseconds; whole numbers stay as they are, in the unit of the import. */
function timeText({ name, type }: Column): string {
  const column = quotedName(name);
  if (/INT$|INTEGER$/.test(type)) return `CAST(${column} AS VARCHAR)`;
  if (type.startsWith('TIMESTAMP') || type === 'DATE')
    return `CAST(epoch_ns(${type === 'DATE' || type.includes('TIME ZONE') ? `CAST(${column} AS TIMESTAMP)` : column}) AS VARCHAR)`;
  throw new CommandFailure(`the column ${name} has the type ${type}, which is no time`);
}

function escapedValue(sql: string): string {
  return `replace(replace(replace(${sql}, ',', '\\,'), '=', '\\='), ' ', '\\ ')`;
}

function escapedKey(text: string): string {
  return text.replace(/[,= ]/g, '\\$&');
}

function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
