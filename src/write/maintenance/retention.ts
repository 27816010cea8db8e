import type { Catalog } from '../../catalog/index.ts';
import type { TableSchema } from '../../catalog/schema.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/logger.ts';
import type { LiveFile } from '../file-index/file-index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { FileChanges } from './file-changes.ts';

/** How far the wall clock may move against the monotonic one between two sweeps before it is not believed. */
const CLOCK_JUMP_MS_MAX = 3_600_000;

/** Retention period that holds for a table: its own, else its database's; ns, undefined = kept for ever. */
export function retentionPeriodNs(catalog: Catalog, table: TableSchema): bigint | undefined {
  return table.retentionPeriodNs ?? catalog.databaseById(table.databaseId)?.retentionPeriodNs;
}

/** Takes out files whose rows are all older than their table's retention period. */
export class RetentionSweep {
  readonly #catalog: Catalog;
  readonly #files: FileIndexStore;
  readonly #changes: FileChanges;
  readonly #clock: Clock;
  readonly #log: Log;
  #wallMs: number;
  #monotonicMs: number;

  constructor(options: { catalog: Catalog; files: FileIndexStore; changes: FileChanges; clock: Clock; log: Log }) {
    this.#catalog = options.catalog;
    this.#files = options.files;
    this.#changes = options.changes;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#wallMs = options.clock.nowMs();
    this.#monotonicMs = options.clock.monotonicMs();
  }

  /** Returns the number of files taken out. */
  async run(): Promise<number> {
    if (this.#clockJumped()) return 0;
    const nowNs = this.#clock.nowNs();
    const expired: LiveFile[] = [];
    for (const { databaseId, tableId, files } of this.#files.index.tables()) {
      const table = this.#catalog.tableById(databaseId, tableId);
      const periodNs = table === undefined ? undefined : retentionPeriodNs(this.#catalog, table);
      if (periodNs === undefined) continue;
      for (const file of files) if (file.maxTimeNs < nowNs - periodNs) expired.push(file);
    }
    if (expired.length === 0) return 0;
    const removed = await this.#changes.remove(expired);
    const rows = removed.reduce((sum, file) => sum + file.rowCount, 0);
    const bytes = removed.reduce((sum, file) => sum + file.sizeBytes, 0);
    this.#log.info('files past their retention period removed', { files: removed.length, rows, bytes });
    return removed.length;
  }

  /** A clock that was set wrong must not cost data: after a jump one sweep is left out, and the next one believes it. */
  #clockJumped(): boolean {
    const wallMs = this.#clock.nowMs();
    const monotonicMs = this.#clock.monotonicMs();
    const jumpMs = wallMs - this.#wallMs - (monotonicMs - this.#monotonicMs);
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    if (jumpMs <= CLOCK_JUMP_MS_MAX) return false;
    this.#log.warn('the clock jumped forward: retention waits for the next check', { jump_ms: Math.round(jumpMs) });
    return true;
  }
}
