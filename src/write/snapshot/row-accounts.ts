import type { Engine } from '../../duckdb/index.ts';
import { bufferRowsSql, type TableScan } from '../scan/index.ts';

/**
 * A table has more or fewer rows than were taken over from the log. Nothing of it may be persisted, and what the log has of it must stay:
 * it has all of them.
 */
export class RowsUnaccounted extends Error {
  constructor(what: string, expected: number, found: number) {
    super(`${what}: ${expected} rows were acknowledged, ${found} are there; what the log has of the table is kept`);
    this.name = 'RowsUnaccounted';
  }
}

/** Throws `RowsUnaccounted` when the numbers differ. */
export function assertRows(what: string, expected: number, found: number): void {
  if (expected !== found) throw new RowsUnaccounted(what, expected, found);
}

/** What a scan of buffered rows has. */
export interface ScanRows {
  /** As they arrived. */
  readonly arrived: number;
  /** Those that no delete hides. */
  readonly spared: number;
  /** Different keys of the spared ones: as many rows are left when repeats are merged. */
  readonly keys: number;
}

/** Counts the buffered rows between the bounds of a scan. There must be some. */
export async function countScanRows(
  engine: Engine,
  scan: TableScan & { readonly buffer: NonNullable<TableScan['buffer']> },
): Promise<ScanRows> {
  const time = scan.table.columns.filter((column) => column.type === 'time').map((column) => ({ column, as: 't' }));
  const generations = scan.buffer.generations.map((generation) => ({ ...generation, deletes: [] }));
  const arrived = bufferRowsSql({ ...scan, columns: time, buffer: { ...scan.buffer, generations } }, 'b.sid');
  const spared = bufferRowsSql({ ...scan, columns: time }, 'b.sid');
  const [a, b, c] = await countsOf(engine, [
    `SELECT count(*) FROM ${arrived}`,
    `SELECT count(*) FROM ${spared}`,
    `SELECT count(*) FROM (SELECT DISTINCT ord, t FROM ${spared})`,
  ]);
  return { arrived: a as number, spared: b as number, keys: c as number };
}

async function countsOf(engine: Engine, queries: readonly string[]): Promise<number[]> {
  const connection = await engine.acquire();
  try {
    const reader = await connection.runAndReadAll(`SELECT ${queries.map((query) => `(${query})`).join(', ')}`);
    return (reader.getRows()[0] ?? []).map(Number);
  } finally {
    engine.release(connection);
  }
}
