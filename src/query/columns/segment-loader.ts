import type { DuckDBDataChunk, DuckDBMaterializedResult } from '@duckdb/node-api';
import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import { type Engine, sqlIdentifier } from '../../duckdb/index.ts';
import type { Lanes } from '../../scheduling/index.ts';
import { bufferColumn, type ReadableGeneration, type TablePart } from '../../write/buffer/index.ts';
import { fileColumnsSql, type ScanFile } from '../../write/scan/index.ts';
import { stringReader } from '../results/result-strings.ts';
import { rawVector, validBits } from '../results/result-vector.ts';
import { writeDistances } from './distances.ts';
import { FieldColumn, type NumberType } from './field-column.ts';
import type { Pause, PieceWork } from './query-input.ts';
import { type BufferSegment, FileSegment } from './segment.ts';
import { NO_TAG, type TableTags } from './table-tags.ts';

/** Runs of all files of one load; more of them are series that are too many to be followed. */
const RUNS_MAX = 200_000;

/** Values taken over before other work gets a turn. */
const VALUES_PER_TURN = 25_000;

/**
 * Reads columns through DuckDB, which knows files and buffers; in pieces, so that nobody waits for the whole.
 *
 * Shared by: the loads of all tables, one at a time for each table; it keeps nothing of any. A segment that is being filled is
 * seen by its load alone: the store hands it out when the load has ended.
 */
export class SegmentLoader {
  readonly #engine: () => Promise<Engine>;
  readonly #lanes: Lanes;
  readonly #pieces: PieceWork;

  /** @param pause awaited between the pieces, of `valuesPerTurn` values each */
  constructor(engine: () => Promise<Engine>, lanes: Lanes, pause: Pause, valuesPerTurn = VALUES_PER_TURN) {
    this.#pieces = { pause, valuesPerTurn };
    this.#engine = engine;
    this.#lanes = lanes;
  }

  /** Times and series of files, in their order; undefined when the rows of a file are not in runs of series. */
  async files(table: TableSchema, tags: TableTags, files: readonly ScanFile[]): Promise<FileSegment[] | undefined> {
    const keys = table.seriesKey.slice(); // it grows with each new tag
    const time = table.columnByName.get('time') as ColumnSchema;
    const runs = await this.#runs(table, tags, files);
    if (runs === undefined) return undefined;
    const segments: FileSegment[] = [];
    const reader = await this.#read(fileColumnsSql(table, [time], files));
    for (let i = 0; i < files.length; i++) {
      const { rowCount, minTimeNs } = files[i] as ScanFile;
      const times = new Float64Array(rowCount);
      let at = 0;
      await reader.take(rowCount, (chunk, from, count) => {
        const read = rawVector(chunk.getColumnVector(0)).items as BigInt64Array;
        writeDistances(new Int32Array(read.buffer, read.byteOffset + from * 8, count * 2), count, minTimeNs, times, at);
        at += count;
      });
      const { starts, codes } = runs[i] as FileRuns;
      if (starts.at(-1) !== rowCount || !inOrder(times, starts)) return undefined;
      const byTag = new Map(keys.map((tag, k): [number, Int32Array] => [tag.id, Int32Array.from(codes[k] as number[])]));
      segments.push(new FileSegment({ baseNs: minTimeNs, times, starts: Int32Array.from(starts), codes: byTag }));
    }
    return segments;
  }

  /** Adds fields to the segments of files. */
  async fields(
    table: TableSchema,
    columns: readonly (ColumnSchema & { readonly type: NumberType })[],
    files: readonly ScanFile[],
    segments: readonly FileSegment[],
  ): Promise<void> {
    const reader = await this.#read(fileColumnsSql(table, columns, files));
    for (const segment of segments) {
      const fields = columns.map((column) => new FieldColumn(column.type, segment.rowCount));
      await reader.take(segment.rowCount, (chunk, from, count) => {
        fields.forEach((field, i) => {
          appendField(field, chunk, i, from, count);
        });
      });
      columns.forEach((column, i) => {
        segment.add(column.id, fields[i] as FieldColumn);
      });
    }
  }

  /** Appends the rows of a generation's moment. */
  async generation({ parts }: ReadableGeneration, segment: BufferSegment): Promise<void> {
    for (const part of parts) await this.#part(part, segment);
  }

  async #part({ engineTable, fields, rows }: TablePart, segment: BufferSegment): Promise<void> {
    const held = new Set(fields.map((field) => field.id));
    const ids = [...segment.columnTypes.keys()];
    const present = ids.filter((id) => held.has(id));
    const columns = ['sid', 'time', ...present.map(bufferColumn)].join(', ');
    const reader = await this.#read(`SELECT ${columns} FROM ${sqlIdentifier(engineTable)} WHERE rowid < ${rows}`);
    await reader.take(rows, (chunk, from, count) => {
      const series = rawVector(chunk.getColumnVector(0)).items as Int32Array;
      const times = rawVector(chunk.getColumnVector(1)).items as BigInt64Array;
      segment.appendKeys(series.subarray(from, from + count), new Int32Array(times.buffer, times.byteOffset + from * 8, count * 2), count);
      for (const id of ids) {
        const field = segment.field(id) as FieldColumn;
        const index = present.indexOf(id);
        if (index < 0) field.appendNulls(count);
        else appendField(field, chunk, index + 2, from, count);
      }
    });
  }

  async #runs(table: TableSchema, tags: TableTags, files: readonly ScanFile[]): Promise<FileRuns[] | undefined> {
    const keys = table.seriesKey.slice(); // it grows with each new tag
    const names = keys.map((tag) => bufferColumn(tag.id));
    const source = fileColumnsSql(table, keys, files, ['file_index AS f', 'file_row_number AS r']);
    const group = ['f', ...names].join(', ');
    const reader = await this.#read(
      `SELECT f::INTEGER, min(r)::INTEGER AS first, count(*)::INTEGER AS n${names.map((name) => `, ${name}`).join('')} FROM (${source}) GROUP BY ${group} ORDER BY f, first`,
    );
    const runs = files.map((): FileRuns => ({ starts: [0], codes: keys.map(() => []) }));
    if (reader.rowCount > RUNS_MAX) return undefined;
    for await (const chunk of reader.chunks()) {
      const [file, first, count] = [0, 1, 2].map((i) => rawVector(chunk.getColumnVector(i)).items as Int32Array) as [
        Int32Array,
        Int32Array,
        Int32Array,
      ];
      const texts = keys.map((_, k) => stringReader(chunk.getColumnVector(k + 3), chunk));
      for (let row = 0; row < chunk.rowCount; row++) {
        const run = runs[file[row] as number];
        if (run === undefined || run.starts.at(-1) !== first[row]) return undefined;
        run.starts.push((first[row] as number) + (count[row] as number));
        keys.forEach((tag, k) => {
          const text = texts[k]?.(row) ?? null;
          run.codes[k]?.push(text === null ? NO_TAG : tags.code(tag.id, text));
        });
      }
    }
    return runs;
  }

  async #read(sql: string): Promise<ChunkReader> {
    const engine = await this.#engine();
    const connection = await engine.acquire();
    const run = (): Promise<DuckDBMaterializedResult> => connection.run(sql);
    try {
      return new ChunkReader(await this.#lanes.query('short').take({ run, interrupt: () => connection.interrupt() }), this.#pieces);
    } finally {
      engine.release(connection);
    }
  }
}

interface FileRuns {
  readonly starts: number[];
  readonly codes: number[][];
}

/** Hands the rows of a result over chunk by chunk, or in other pieces. */
class ChunkReader {
  readonly #result: DuckDBMaterializedResult;
  readonly #pieces: PieceWork;
  #chunk: DuckDBDataChunk | undefined;
  #chunksRead = 0;
  #row = 0;
  #valuesSincePause = 0;

  constructor(result: DuckDBMaterializedResult, pieces: PieceWork) {
    this.#result = result;
    this.#pieces = pieces;
  }

  get rowCount(): number {
    return this.#result.rowCount;
  }

  async *chunks(): AsyncGenerator<DuckDBDataChunk> {
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  /** Throws when there are fewer rows. */
  async take(rows: number, visit: (chunk: DuckDBDataChunk, from: number, count: number) => void): Promise<void> {
    for (let left = rows; left > 0; ) {
      this.#chunk ??= await this.#next();
      const chunk = this.#chunk;
      if (chunk === undefined) throw new Error('internal error: the engine delivered fewer rows than were written');
      const count = Math.min(left, chunk.rowCount - this.#row);
      visit(chunk, this.#row, count);
      left -= count;
      this.#row += count;
      if (this.#row < chunk.rowCount) continue;
      this.#chunk = undefined;
      this.#row = 0;
    }
  }

  async #next(): Promise<DuckDBDataChunk | undefined> {
    if (this.#chunksRead === this.#result.chunkCount) return undefined;
    if (this.#valuesSincePause >= this.#pieces.valuesPerTurn) {
      this.#valuesSincePause = 0;
      await this.#pieces.pause();
    }
    const chunk = this.#result.getChunk(this.#chunksRead++);
    this.#valuesSincePause += chunk.rowCount * chunk.columnCount;
    return chunk;
  }
}

function appendField(field: FieldColumn, chunk: DuckDBDataChunk, index: number, from: number, count: number): void {
  const raw = rawVector(chunk.getColumnVector(index));
  const { buffer, byteOffset } = raw.items as BigInt64Array;
  field.append(new Uint8Array(buffer, byteOffset + from * 8, count * 8), shifted(validBits(raw), from, count), count);
}

/** Bits from `from` on, the first one at bit 0. */
function shifted(bits: Uint8Array | undefined, from: number, count: number): Uint8Array | undefined {
  if (bits === undefined || from === 0) return bits;
  const moved = new Uint8Array((count + 7) >> 3);
  for (let i = 0; i < count; i++) {
    const bit = from + i;
    if (((bits[bit >> 3] as number) >> (bit & 7)) & 1) moved[i >> 3] = (moved[i >> 3] as number) | (1 << (i & 7));
  }
  return moved;
}

/** True when every run is in strict time order and its times are exact. */
function inOrder(times: Float64Array, starts: readonly number[]): boolean {
  for (let run = 0; run + 1 < starts.length; run++) {
    const end = starts[run + 1] as number;
    for (let row = (starts[run] as number) + 1; row < end; row++) {
      if ((times[row] as number) <= (times[row - 1] as number)) return false;
    }
    if ((times[end - 1] as number) > 2 ** 53) return false;
  }
  return true;
}
