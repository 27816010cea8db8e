import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TableSchema } from '../../../../src/catalog/schema.ts';
import { ColumnStore } from '../../../../src/query/columns/column-store.ts';
import { FieldColumn } from '../../../../src/query/columns/field-column.ts';
import { FileSegment } from '../../../../src/query/columns/segment.ts';
import type { SegmentLoader } from '../../../../src/query/columns/segment-loader.ts';
import type { StoredFile, TableReader } from '../../../../src/query/scan/sources.ts';

const column = { id: 7, name: 'f', type: 'float' } as const;
const table = { id: 1, seriesKey: [], columns: [column] } as unknown as TableSchema;

/** More rows than are loaded at the first question. */
const MANY = 800_000;

function file(id: number, rowCount = MANY): StoredFile {
  return { id, path: `f${id}`, chunkTimeNs: 0n, minTimeNs: 0n, maxTimeNs: 1n, rowCount, mayOverlap: false };
}

/** Loads segments of zeros. */
class FakeLoader {
  loads = 0;
  fail = false;
  onFields: () => Promise<void> = async () => undefined;

  async files(_table: TableSchema, _tags: unknown, files: readonly StoredFile[]): Promise<FileSegment[]> {
    this.loads++;
    if (this.fail) throw new Error('disk');
    return files.map(
      ({ rowCount }) =>
        new FileSegment({ baseNs: 0n, times: new Float64Array(rowCount), starts: Int32Array.of(0, rowCount), codes: new Map() }),
    );
  }

  async fields(_table: TableSchema, columns: readonly (typeof column)[], _files: unknown, segments: readonly FileSegment[]): Promise<void> {
    await this.onFields();
    for (const segment of segments) for (const { id, type } of columns) segment.add(id, new FieldColumn(type, segment.rowCount));
  }
}

function storeOf(bytesMax: number): { store: ColumnStore; loader: FakeLoader; failures: unknown[] } {
  const loader = new FakeLoader();
  const failures: unknown[] = [];
  const tables = { snapshot: async () => ({ release: () => undefined }) } as unknown as TableReader;
  const options = { loader: loader as unknown as SegmentLoader, tables, bytesMax, onLoadFailed: (error: unknown) => failures.push(error) };
  return { store: new ColumnStore(options), loader, failures };
}

function ask(store: ColumnStore, files: readonly StoredFile[]): ReturnType<ColumnStore['segments']> {
  return store.segments({ table, files, generations: [], series: undefined, columns: [column] });
}

async function load(store: ColumnStore, files: readonly StoredFile[]): Promise<void> {
  const answer = ask(store, files);
  assert.ok(typeof answer === 'object' && 'load' in answer, String(answer));
  await answer.load();
}

describe('columns of files in memory', () => {
  test('the first question loads nothing, the second loads, the third finds', async () => {
    const { store, loader } = storeOf(1e9);
    assert.equal(ask(store, [file(1)]), 'cold');
    assert.equal(loader.loads, 0);
    await load(store, [file(1)]);
    const ready = ask(store, [file(1)]);
    assert.ok(typeof ready === 'object' && 'files' in ready);
    assert.equal(ready.files[0]?.rowCount, MANY);
    assert.deepEqual({ ...store.figures, bytes: 0 }, { bytes: 0, entries: 1, hits: 1, misses: 2 });
  });

  test('what is small is loaded at the first question, with all number fields', async () => {
    const { store } = storeOf(1e9);
    const other = { id: 8, name: 'g', type: 'integer' } as const;
    const wide = { ...table, columns: [column, other] } as unknown as TableSchema;
    const request = { table: wide, files: [file(1, 1000)], generations: [], series: undefined };
    const answer = store.segments({ ...request, columns: [column] });
    assert.ok(typeof answer === 'object' && 'load' in answer);
    await answer.load();
    assert.ok('files' in (store.segments({ ...request, columns: [other] }) as object));
  });

  test('questions at the same time share a load', async () => {
    const { store, loader } = storeOf(1e9);
    ask(store, [file(1)]);
    await Promise.all([load(store, [file(1)]), load(store, [file(1)])]);
    assert.equal(loader.loads, 1);
  });

  test('what was not used for longest goes when there is no room', async () => {
    const { store } = storeOf(30_000_000); // two files of 12.8 MB and a bit
    for (const id of [1, 2]) {
      ask(store, [file(id)]);
      await load(store, [file(id)]);
    }
    ask(store, [file(1)]); // used: now 2 is the oldest
    ask(store, [file(3)]);
    await load(store, [file(3)]);
    assert.ok(store.figures.bytes <= 30_000_000);
    assert.equal(store.figures.entries, 2);
    assert.ok('files' in (ask(store, [file(1)]) as object));
    assert.ok('load' in (ask(store, [file(2)]) as object));
  });

  test('what leaves the store in the middle of a load does not make the load fail', async () => {
    const { store, loader, failures } = storeOf(30_000_000); // two files of 12.8 MB and a bit
    const other = { id: 8, name: 'g', type: 'integer' } as const;
    const wide = { ...table, columns: [column, other] } as unknown as TableSchema;
    const request = { table: wide, series: undefined, generations: [], columns: [column, other] };
    // Two files that lack different fields are read one after the other.
    for (const [id, columns] of [
      [1, [column]],
      [2, [other]],
    ] as const) {
      const first = { ...request, files: [file(id)], columns };
      store.segments(first);
      const answer = store.segments(first);
      assert.ok(typeof answer === 'object' && 'load' in answer);
      await answer.load();
    }
    const another = { ...request, table: { ...wide, id: 2 } as unknown as TableSchema, files: [file(3)] };
    store.segments(another);
    loader.onFields = async () => {
      loader.onFields = async () => undefined;
      const answer = store.segments(another);
      assert.ok(typeof answer === 'object' && 'load' in answer);
      await answer.load();
    };
    const both = store.segments({ ...request, files: [file(1), file(2)] });
    assert.ok(typeof both === 'object' && 'load' in both);
    await both.load();
    assert.deepEqual(failures, []);
  });

  test('a load that fails is told and tried again, but not for ever', async () => {
    const { store, loader, failures } = storeOf(1e9);
    loader.fail = true;
    ask(store, [file(1)]);
    for (let i = 0; i < 3; i++) await load(store, [file(1)]);
    assert.equal(failures.length, 3);
    assert.equal(ask(store, [file(1)]), 'unfit');
  });
});
