/**
 * Shared by: the log, which publishes durable rows; triggers, which are added and removed. Safe because all of it is
 * synchronous, and publishing only ever queues references.
 */
import type { Catalog, TableSchema } from '../../catalog/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { DurableBatch, DurableListener } from '../../write/index.ts';
import type { SeriesIndex } from '../../write/series/index.ts';
import type { WalBatch, WalRows } from './wal-rows.ts';

/** A trigger that wants durable rows. */
export interface WalSubscriber {
  readonly databaseId: number;
  /** Undefined = all tables. */
  readonly table: string | undefined;
  /** Must return at once. */
  deliver(batch: WalBatch): void;
}

export interface WalDeliveryOptions {
  readonly catalog: Pick<Catalog, 'tableById'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Tells of durable rows until the function that it returns is called. */
  readonly onDurable: (listener: DurableListener) => () => void;
  readonly seriesOf: (table: TableSchema) => SeriesIndex;
}

/** Hands rows that became durable to the triggers of their database. Without such triggers the log is not listened to. */
export class WalDelivery {
  readonly #options: WalDeliveryOptions;
  readonly #subscribers = new Map<number, Set<WalSubscriber>>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: WalDeliveryOptions) {
    this.#options = options;
  }

  add(subscriber: WalSubscriber): void {
    const known = this.#subscribers.get(subscriber.databaseId);
    if (known === undefined) this.#subscribers.set(subscriber.databaseId, new Set([subscriber]));
    else known.add(subscriber);
    this.#unsubscribe ??= this.#options.onDurable((batch) => this.#publish(batch));
  }

  remove(subscriber: WalSubscriber): void {
    const known = this.#subscribers.get(subscriber.databaseId);
    known?.delete(subscriber);
    if (known?.size === 0) this.#subscribers.delete(subscriber.databaseId);
    if (this.#subscribers.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #publish(batch: DurableBatch): void {
    const sections = batch.sections();
    const subscribers = this.#subscribers.get(sections[0]?.databaseId ?? -1);
    if (subscribers === undefined) return;
    const { catalog, clock, seriesOf } = this.#options;
    const tables: WalRows[] = [];
    let bytes = 0;
    for (const section of sections) {
      bytes += section.byteLength;
      const table = catalog.tableById(section.databaseId, section.tableId);
      // The rows of a table that was dropped meanwhile have series that are gone with it.
      if (table === undefined || table.deleted) continue;
      tables.push({ tableName: table.name, section, series: seriesOf(table), columns: table.columns });
    }
    if (tables.length === 0) return;
    const queuedMs = clock.monotonicMs();
    for (const subscriber of subscribers) {
      const wanted = subscriber.table === undefined ? tables : tables.filter(({ tableName }) => tableName === subscriber.table);
      if (wanted.length === 0) continue;
      const rowCount = wanted.reduce((sum, { section }) => sum + section.rowCount, 0);
      subscriber.deliver({ tables: wanted, origin: batch.origin, bytes, rowCount, queuedMs });
    }
  }
}
