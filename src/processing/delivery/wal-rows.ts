import type { ColumnSchema } from '../../catalog/index.ts';
import type { TableSection } from '../../write/batch/index.ts';
import type { SeriesIndex } from '../../write/series/index.ts';
import type { WriteOrigin } from '../../write/write-service.ts';

/** Rows of one table of one write, as they became durable. Views of the log's memory that nobody changes; nothing is copied. */
export interface WalRows {
  readonly tableName: string;
  readonly section: TableSection;
  /** What the series ids of the section mean. */
  readonly series: SeriesIndex;
  /** By column id. */
  readonly columns: readonly ColumnSchema[];
}

/** What one write brought for one trigger. */
export interface WalBatch {
  readonly tables: readonly WalRows[];
  readonly origin: WriteOrigin;
  /** Memory that is kept alive. */
  readonly bytes: number;
  readonly rowCount: number;
  /** When it was queued, monotonic ms. */
  readonly queuedMs: number;
}
