import assert from 'node:assert/strict';
import type { TableSchema } from '../../src/catalog/index.ts';
import type { Engine } from '../../src/duckdb/index.ts';
import { systemTimers } from '../../src/shared/timers.ts';
import { WriteBuffer } from '../../src/write/buffer/index.ts';
import { tableScanSql } from '../../src/write/scan/index.ts';
import { readRows } from './engine.ts';
import { modelLine } from './model-table.ts';

const CHUNK_NS = 600_000_000_000n;

/** A buffer without a log. @param tableSchema one table, or how they are looked up */
export function openBuffer(
  engine: Engine,
  tableSchema: TableSchema | ((databaseId: number, tableId: number) => TableSchema | undefined),
  onError: (error: unknown, message: string) => void = (error, message) => assert.fail(`${message}: ${String(error)}`),
): WriteBuffer {
  return new WriteBuffer({
    engine: async () => engine,
    chunkDurationNs: CHUNK_NS,
    tableSchema: typeof tableSchema === 'function' ? tableSchema : () => tableSchema,
    fileMaxTimeNs: () => undefined,
    pendingBytesMax: 1 << 20,
    timers: systemTimers,
    onError: (message, error) => onError(error, message),
  });
}

/** Every buffered row of a table as a query reads them, as lines of the model, sorted. */
export async function bufferedLines(engine: Engine, buffer: WriteBuffer, table: TableSchema): Promise<string[]> {
  const view = await buffer.table(table.databaseId, table.id)?.view();
  const source = tableScanSql({
    table,
    columns: table.columns.map((column) => ({ column, as: column.name })),
    files: [],
    buffer: view,
    chunkDurationNs: CHUNK_NS,
    minTimeNs: undefined,
    maxTimeNs: undefined,
    cutoffNs: undefined,
  });
  const rows = await readRows(engine, source, table);
  view?.release();
  return rows.map(modelLine).sort();
}
