import { createRequire } from 'node:module';
import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
import type { DataChunk } from '@duckdb/node-bindings';
import type { ExpectedColumn, ResultBatch, ResultColumn, ResultType } from '../result.ts';
import { openSource } from './open-source.ts';
import { resultColumns } from './result-columns.ts';
import { checkListSizes } from './result-size.ts';
import type { Binding, VectorSource } from './vector-source.ts';

/** Loads the native module at the first use; by then DuckDB has loaded it. */
const load = createRequire(import.meta.url);

/** Texts and list items of one batch, bytes; a chunk with more of them becomes several batches. One row may have more. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024;

/** What the chunks of a result mean. */
export interface ChunkReader {
  readonly columns: readonly ResultColumn[];
  batches(chunk: DuckDBDataChunk): Iterable<ResultBatch>;
}

/** Turns the chunks of one result into batches, without an object or a string a value. */
export class ResultReader implements ChunkReader {
  readonly columns: readonly ResultColumn[];
  readonly #types: readonly DuckDBType[];
  readonly #binding = load('@duckdb/node-bindings') as Binding;
  readonly #bytesMax: number;

  /** `expected`: the columns as the compiler knows them; `types`: DuckDB's, as many. */
  constructor(expected: readonly ExpectedColumn[], types: readonly DuckDBType[], bytesMax = BATCH_BYTES_MAX) {
    this.columns = resultColumns(expected, types);
    this.#types = types;
    this.#bytesMax = bytesMax;
  }

  /** The rows of a chunk. Throws SQL_MEMORY before anything is read when its lists, or one of its texts, are too long. */
  *batches(chunk: DuckDBDataChunk): Generator<ResultBatch, void, void> {
    checkListSizes(chunk, this.#types);
    const { rowCount } = chunk;
    const sources = this.columns.map(({ type }, i) => this.#source(chunk, i, type));
    let from = 0;
    while (from < rowCount) {
      const to = this.#end(sources, from, rowCount);
      const selection = { start: from, count: to - from };
      yield { rowCount: to - from, columns: sources.map((source) => source.read(selection)) };
      from = to;
    }
  }

  #source(chunk: DuckDBDataChunk, index: number, type: ResultType): VectorSource {
    const binding = this.#binding;
    const vector = binding.data_chunk_get_vector((chunk as unknown as { readonly chunk: DataChunk }).chunk, index);
    return openSource({ binding, vector, count: chunk.rowCount, type: this.#types[index] as DuckDBType }, type);
  }

  /** End of the batch that begins at a row. */
  #end(sources: readonly VectorSource[], from: number, rowCount: number): number {
    const large = sources.filter((source) => source.sizeBytes > 0);
    if (large.reduce((sum, source) => sum + source.sizeBytes, 0) <= this.#bytesMax) return rowCount;
    let bytes = 0;
    for (let row = from; row < rowCount; row++) {
      for (const source of large) bytes += source.rowBytes(row);
      if (bytes > this.#bytesMax && row > from) return row;
    }
    return rowCount;
  }
}
