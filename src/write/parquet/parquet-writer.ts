import { dirname, join } from 'node:path';
import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import { type Engine, type EngineConnection, sqlIdentifier, sqlString, uniqueNames } from '../../duckdb/index.ts';
import { unlessAborted } from '../../shared/signals.ts';
import { type FileSystem, type Store, TEMPORARY_SUFFIX, unlinkIfPresent } from '../../storage/index.ts';
import { arrowSchemaMetadata } from './arrow-schema.ts';

/** DuckDB cannot print the part of a day before this time, ns: 1677-09-22. */
const PRINTED_TIME_NS_MIN = -9_223_286_400_000_000_000n;

/** Rows per row group, as readers of these files expect at most. */
const ROW_GROUP_ROWS_MAX = 100_000;

export interface ParquetFileFacts {
  readonly sizeBytes: number;
  readonly rowCount: number;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  /** Of the whole file. */
  readonly crc32: number;
}

export interface ParquetJob {
  readonly table: TableSchema;
  /** Columns of the file, in file order. */
  readonly columns: readonly ColumnSchema[];
  /** Parenthesised query that delivers the columns under the names of `fileColumnNames`. */
  readonly source: string;
  /** Condition on the source's rows; undefined = all. */
  readonly where: string | undefined;
  /** The source delivers its rows in the order of the file: by tags, then time. */
  readonly sorted?: boolean;
  /** No row is older, ns. */
  readonly fromNs: bigint;
  /** Below the node's directory; folders are created. */
  readonly path: string;
}

/** Writes Parquet files through DuckDB: sorted, compressed, complete and durable or not there at all. */
export class ParquetWriter {
  readonly #engine: Engine;
  readonly #fs: FileSystem;
  readonly #store: Pick<Store, 'fs' | 'files' | 'root'>;
  readonly #signal: AbortSignal;
  readonly #directories = new Set<string>();

  /** @param signal ends a file under way: `write` rejects then, and nothing of the file is left */
  constructor(engine: Engine, store: Pick<Store, 'fs' | 'files' | 'root'>, signal: AbortSignal) {
    this.#engine = engine;
    this.#store = store;
    this.#fs = store.fs;
    this.#signal = signal;
  }

  /** Undefined when the source has no rows; no file is left then. */
  async write(job: ParquetJob): Promise<ParquetFileFacts | undefined> {
    const path = join(this.#store.root, job.path);
    await this.#makeDirectory(dirname(path));
    const temporary = path + TEMPORARY_SUFFIX;
    try {
      const facts = await this.#copy(job, temporary);
      if (facts === undefined) {
        await unlinkIfPresent(this.#fs, temporary);
        return undefined;
      }
      const file = await this.#fs.open(temporary, 'existing');
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
      const crc32 = await this.#fs.checksum(temporary);
      await this.#fs.rename(temporary, path);
      await this.#fs.syncDirectory(dirname(path));
      await unlessAborted(this.#store.files.keep(job.path), this.#signal); // a bucket may not answer
      return { ...facts, crc32 };
    } catch (error) {
      this.#directories.clear(); // the directory may have been removed with its last file
      await unlinkIfPresent(this.#fs, temporary).catch(() => undefined); // the first failure is the one to report
      throw error;
    }
  }

  async #copy(job: ParquetJob, path: string): Promise<Omit<ParquetFileFacts, 'crc32'> | undefined> {
    const names = new Map([...fileColumnNames(job.columns)].map(([id, name]) => [id, sqlIdentifier(name)]));
    const sort = [...job.table.seriesKey.filter((tag) => names.has(tag.id)), ...job.columns.filter((c) => c.type === 'time')]
      .map((column) => `${names.get(column.id)} ASC NULLS FIRST`)
      .join(', ');
    const fieldIds = job.columns.map((column) => `${names.get(column.id)}: ${column.id}`).join(', ');
    const metadata = arrowSchemaMetadata(job.table, job.columns);
    const select = `SELECT ${job.columns.map(({ id }) => names.get(id)).join(', ')} FROM ${job.source} AS rows${job.where === undefined ? '' : ` WHERE ${job.where}`}`;
    const options = [
      'FORMAT parquet',
      'COMPRESSION zstd',
      `ROW_GROUP_SIZE ${ROW_GROUP_ROWS_MAX}`,
      'WRITE_BLOOM_FILTER false', // minima and maxima of sorted rows tell as much
      `FIELD_IDS {${fieldIds}}`,
      `KV_METADATA {'ARROW:schema': ${sqlString(metadata)}}`,
    ];
    // DuckDB prints the statistics, and cannot print what is older.
    const printed = job.fromNs >= PRINTED_TIME_NS_MIN;
    if (printed) options.push('RETURN_STATS');
    const connection = await this.#engine.acquire();
    const interrupt = (): void => connection.interrupt();
    this.#signal.addEventListener('abort', interrupt, { once: true });
    try {
      this.#signal.throwIfAborted();
      const ordered = job.sorted === true ? select : `${select} ORDER BY ${sort}`;
      const reader = await connection.runAndReadAll(`COPY (${ordered}) TO ${sqlString(path)} (${options.join(', ')})`);
      return printed ? factsOf(reader.getRowObjectsJson()[0]) : await this.#readFacts(connection, path);
    } finally {
      this.#signal.removeEventListener('abort', interrupt);
      this.#engine.release(connection);
    }
  }

  /** The facts of a file that is complete, read from it. */
  async #readFacts(connection: EngineConnection, path: string): Promise<Omit<ParquetFileFacts, 'crc32'> | undefined> {
    const columns = 'count(*), epoch_ns(min("time")), epoch_ns(max("time"))';
    const reader = await connection.runAndReadAll(`SELECT ${columns} FROM read_parquet(${sqlString(path)})`);
    const [rows, minTimeNs, maxTimeNs] = reader.getRows()[0] as (bigint | null)[];
    if (minTimeNs === null || minTimeNs === undefined || maxTimeNs === null || maxTimeNs === undefined) return undefined;
    return { sizeBytes: await this.#fs.size(path), rowCount: Number(rows), minTimeNs, maxTimeNs };
  }

  /** Creates a directory and makes its name, and those of its parents up to the node's directory, durable; each once. */
  async #makeDirectory(directory: string): Promise<void> {
    if (this.#directories.has(directory)) return;
    await this.#fs.mkdir(directory);
    if (this.#directories.size > 10_000) this.#directories.clear();
    for (let at = directory, depth = 0; depth < 5 && !this.#directories.has(at); at = dirname(at), depth++) {
      await this.#fs.syncDirectory(dirname(at));
      this.#directories.add(at);
    }
  }
}

/**
 * Names of the columns inside a Parquet file by id: their own, unless DuckDB could not keep one apart from another of the
 * file (`uniqueNames`); then the later one gets `__<column id>` appended. The time column is always `time`: readers find it
 * by that name.
 */
export function fileColumnNames(columns: readonly ColumnSchema[]): ReadonlyMap<number, string> {
  const ordered = [...columns].sort((a, b) => Number(b.type === 'time') - Number(a.type === 'time') || a.id - b.id);
  const names = uniqueNames(
    ordered.map(({ name }) => name),
    (index, n) => (n === 1 ? String(ordered[index]?.id) : `${ordered[index]?.id}_${n}`),
  );
  return new Map(ordered.map(({ id }, index) => [id, names[index] as string]));
}

interface CopyStats {
  readonly count: string;
  readonly file_size_bytes: string;
  readonly column_statistics: { key: string; value: { key: string; value: string }[] }[];
}

function factsOf(row: unknown): Omit<ParquetFileFacts, 'crc32'> | undefined {
  const stats = row as CopyStats | undefined;
  if (stats === undefined || Number(stats.count) === 0) return undefined;
  const time = stats.column_statistics.find((column) => column.key === '"time"')?.value ?? [];
  const bound = (key: string): bigint => parseEngineTimestamp(time.find((entry) => entry.key === key)?.value ?? '');
  return { sizeBytes: Number(stats.file_size_bytes), rowCount: Number(stats.count), minTimeNs: bound('min'), maxTimeNs: bound('max') };
}

/** `2023-11-14 22:13:20.000000999` (UTC, 0 to 9 fraction digits) to ns since the epoch. */
function parseEngineTimestamp(text: string): bigint {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw new Error(`internal error: unexpected timestamp ${JSON.stringify(text)} in file statistics`);
  const [, year, month, day, hour, minute, second, fraction] = match;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return BigInt(ms) * 1_000_000n + BigInt((fraction ?? '').padEnd(9, '0'));
}
