import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableSchema } from '../../../../src/catalog/schema.ts';
import type { Generation } from '../../../../src/write/buffer/index.ts';
import { plannedFiles } from '../../../../src/write/snapshot/planned-files.ts';

const CHUNK_NS = 600_000_000_000n;
const CHUNKS_PER_DAY = 144;
const table = { databaseId: 1, id: 2, columns: Array.from({ length: 21 }) } as unknown as TableSchema;

/** A generation with rows in these chunks, numbered from 1970 on. */
function generation(chunks: readonly number[], rowsPerChunk: number, bytesPerRow = 100): Generation {
  const rows = { rows: rowsPerChunk, minTimeNs: 0n, maxTimeNs: 0n };
  return {
    rows: chunks.length * rowsPerChunk,
    bytes: chunks.length * rowsPerChunk * bytesPerRow,
    chunks: new Map(chunks.map((chunk) => [BigInt(chunk) * CHUNK_NS, rows])),
  } as unknown as Generation;
}

function plan(generations: readonly Generation[], { dirty = [] as number[], endChunk = 1_000_000 } = {}): number[][] {
  const options = { chunkDurationNs: CHUNK_NS, endMarkerNs: BigInt(endChunk) * CHUNK_NS, walFileNumber: 7 };
  const files = plannedFiles(table, generations, new Set(dirty.map((chunk) => BigInt(chunk) * CHUNK_NS)), options);
  for (const file of files) {
    assert.equal(file.fromNs, file.chunks[0]);
    assert.equal(file.toNs, (file.chunks.at(-1) as bigint) + CHUNK_NS);
  }
  assert.equal(new Set(files.map((file) => file.path)).size, files.length, 'each file has a path of its own');
  return files.map((file) => file.chunks.map((chunk) => Number(chunk / CHUNK_NS)));
}

/** Numbers from `from` up to but not including `to`. */
function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

test('the chunks of days that are over share a file, those of the hour that goes on do not', () => {
  const chunks = range(0, CHUNKS_PER_DAY + 14);
  assert.deepEqual(plan([generation(chunks, 10)]), [range(0, 144), range(144, 156), [156], [157]]);
});

test('chunks of the same hour are written one by one', () => {
  assert.deepEqual(plan([generation(range(0, 6), 10)]), [[0], [1], [2], [3], [4], [5]]);
});

test('a file has no more rows than are sorted at once, and no more bytes', () => {
  const day = range(0, CHUNKS_PER_DAY);
  const rows = (chunks: readonly number[]): number => chunks.length * 6000;
  const byRows = plan([generation([...day, 2000], 6000)]);
  assert.deepEqual(byRows.flat(), [...day, 2000]);
  for (const chunks of byRows) assert.ok(rows(chunks) * table.columns.length <= 4_000_000);
  assert.equal(byRows.length, 6);
  for (const chunks of plan([generation([...day, 2000], 6000, 1000)])) assert.ok(rows(chunks) * 1000 <= 64 * 1024 * 1024);
});

test('a chunk in which a key may occur twice stays alone', () => {
  assert.deepEqual(plan([generation([...range(0, 10), 2000], 10)], { dirty: [4, 5] }), [range(0, 4), [4], [5], range(6, 10), [2000]]);
});

test('chunks of several generations are counted once, those after the end marker not at all', () => {
  const generations = [generation(range(0, 5), 10), generation(range(3, 8), 10), generation([2000], 10)];
  assert.deepEqual(plan(generations, { endChunk: 1000 }), [range(0, 8)]);
  assert.deepEqual(plan([]), []);
});
