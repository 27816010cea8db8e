import type { TableSchema } from '../../../src/catalog/schema.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import { decodeBatch, encodeBatch, SeriesDefinitions, type TableSection } from '../../../src/write/batch/index.ts';
import { SeriesIndex } from '../../../src/write/series/index.ts';
import { parsedTable, type TestRow } from '../../support/model-table.ts';

export const NOW_MS = 1_781_691_630_000;

/** Wall clock and monotonic clock that tests move, apart from each other if they want. */
export class MovingClock implements Clock {
  wallMs = NOW_MS;
  steadyMs = 5_000;

  nowNs(): bigint {
    return BigInt(this.wallMs) * 1_000_000n;
  }

  nowMs(): number {
    return this.wallMs;
  }

  monotonicMs(): number {
    return this.steadyMs;
  }

  forward(ms: number): void {
    this.wallMs += ms;
    this.steadyMs += ms;
  }
}

/** Turns rows into the sections that the write buffer tells of. */
export class Sections {
  readonly series = new SeriesIndex();
  readonly #table: TableSchema;
  readonly #definitions = new SeriesDefinitions();

  constructor(table: TableSchema) {
    this.#table = table;
  }

  of(rows: readonly TestRow[]): TableSection {
    const batch = encodeBatch(this.#table.databaseId, [parsedTable(this.#table, this.series, rows)], this.#definitions, 1);
    return decodeBatch(batch)[0] as TableSection;
  }
}

/** A row with its time in seconds. */
export function row(tags: TestRow['tags'], fields: TestRow['fields'], timeSecs: number | bigint): TestRow {
  return { tags, fields, timeNs: BigInt(timeSecs) * 1_000_000_000n };
}
