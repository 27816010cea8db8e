import { createRequire } from 'node:module';
import { getHeapStatistics } from 'node:v8';
import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
import type duckdb from '@duckdb/node-bindings';
import type { DataChunk, Vector } from '@duckdb/node-bindings';
import { InfluxError } from '../../shared/errors.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import { TYPE_ID } from './result-type-ids.ts';

/** Loads the native module at the first use; by then DuckDB has loaded it. */
const load = createRequire(import.meta.url);

/** Memory of one element of a list while it becomes text, bytes; roughly. */
const BYTES_PER_ELEMENT = 100;

/** Part of the heap that the values of one chunk may take. */
const HEAP_SHARE = 1 / 8;

/** Elements that the lists of one chunk may have: more would not fit into the heap as they become text. */
export const LIST_ELEMENTS_MAX = Math.floor((getHeapStatistics().heap_size_limit * HEAP_SHARE) / BYTES_PER_ELEMENT);

/** Bytes that one text may have, for the same reason: it exists several times as it is sent. */
export const TEXT_BYTES_MAX = Math.floor(getHeapStatistics().heap_size_limit * HEAP_SHARE);

/** Texts of one chunk that are copied together, bytes; of more than this each one is read when it is its turn. */
export const TEXTS_AT_ONCE_BYTES_MAX = Math.min(64 * 1024 * 1024, TEXT_BYTES_MAX);

/** A text of a result is longer than `TEXT_BYTES_MAX`. */
export function textTooLong(bytes: number, bytesMax: number): InfluxError {
  return new InfluxError({
    code: 'SQL_MEMORY',
    message: `Resources exhausted: a text of a result has ${bytes} bytes, more than the server can answer with (${bytesMax})`,
    status: 500,
    grpc: GRPC_STATUS.RESOURCE_EXHAUSTED,
  });
}

/** Throws SQL_MEMORY when the lists of a chunk are too long, before anything of them is read. */
export function checkListSizes(chunk: DuckDBDataChunk, types: readonly DuckDBType[], elementsMax = LIST_ELEMENTS_MAX): void {
  for (const [index, type] of types.entries()) {
    if (!isNested(type)) continue;
    const binding = load('@duckdb/node-bindings') as typeof duckdb;
    const vector = binding.data_chunk_get_vector((chunk as unknown as { chunk: DataChunk }).chunk, index);
    const elements = elementsOf(binding, vector, type);
    if (elements > elementsMax) throw listsTooLong(elements, elementsMax);
  }
}

function isNested(type: DuckDBType): boolean {
  const id: number = type.typeId;
  return id === TYPE_ID.LIST || id === TYPE_ID.MAP || id === TYPE_ID.STRUCT;
}

function elementsOf(binding: typeof duckdb, vector: Vector, type: DuckDBType): number {
  if (!isNested(type)) return 0;
  if ('entryTypes' in type) {
    return type.entryTypes.reduce((sum, entry, i) => sum + elementsOf(binding, binding.struct_vector_get_child(vector, i), entry), 0);
  }
  const own = binding.list_vector_get_size(vector);
  if (!('valueType' in type) || (type.typeId as number) === TYPE_ID.MAP) return own;
  return own + elementsOf(binding, binding.list_vector_get_child(vector), type.valueType);
}

function listsTooLong(elements: number, elementsMax: number): InfluxError {
  return new InfluxError({
    code: 'SQL_MEMORY',
    message: `Resources exhausted: the lists of a result have ${elements} elements, more than the server can answer with (${elementsMax})`,
    status: 500,
    grpc: GRPC_STATUS.RESOURCE_EXHAUSTED,
  });
}
