import type { QueryExecutor } from '../query/index.ts';
import { plainAt } from '../query/results/index.ts';
import type { FleetCell, ReportSource } from '../telemetry/http.ts';
import type { OpenStorage } from './storage.ts';

/** Longest wait of the telemetry page for the reports. */
const TIMEOUT_MS = 30_000;

/** Reads the reports that other servers sent here, for the telemetry page. */
export function reportSource({ writes }: Pick<OpenStorage, 'writes'>, queries: Pick<QueryExecutor, 'internalSql'>): ReportSource {
  return {
    columns: (database, name) => {
      const table = writes.table(database, name);
      return table === undefined || table.deleted ? undefined : new Set(table.columns.map((column) => column.name));
    },
    rows: async (database, query) => {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const result = await queries.internalSql({ database, query, params: new Map(), signal });
      const rows: FleetCell[][] = [];
      for await (const { columns, rowCount } of result.batches()) {
        for (let row = 0; row < rowCount; row++) rows.push(columns.map((column) => plainAt(column, row)));
      }
      return rows;
    },
  };
}
