import type { Clock } from '../../shared/clock.ts';
import type { WalDelivery, WalSubscriber } from '../delivery/wal-delivery.ts';
import { QUEUED_BATCHES_MAX, WalQueue } from '../delivery/wal-queue.ts';
import type { WalBatch } from '../delivery/wal-rows.ts';
import type { RunningTrigger, TriggerIdentity } from './running-trigger.ts';
import type { TriggerFigures } from './trigger-figures.ts';
import type { TriggerRunner } from './trigger-runner.ts';

export interface WalTriggerOptions {
  readonly trigger: TriggerIdentity;
  readonly runner: TriggerRunner;
  readonly delivery: WalDelivery;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly figures: TriggerFigures;
  readonly queueBytesMax: number;
}

/** Calls that run at the same time for a trigger that runs asynchronously. */
export const ASYNC_CALLS_MAX = 64;

/** A full queue is told of this often, ms. */
const SKIPPED_LOG_MS = 10_000;

/** A queue that fills is told of this often, ms. */
const BACKLOG_LOG_MS = 60_000;

/** Calls in a row that got only rows of the trigger itself, and wrote more of them. */
const ECHOES_MAX = 100;
const ECHO_TEXT =
  `the last ${ECHOES_MAX} calls got nothing but rows that this trigger wrote, and wrote more: ` +
  'leave out the tables that the plugin writes, or let the trigger listen to another table';

/** Calls a plugin with rows that became durable. Nothing here ever waits in the way of a write. */
export class WalTrigger implements RunningTrigger, WalSubscriber {
  readonly databaseId: number;
  readonly table: string | undefined;
  readonly #options: WalTriggerOptions;
  readonly #queue: WalQueue;
  #running = 0;
  #scheduled = false;
  #skipped = 0;
  #echoes = 0;
  #skippedLoggedMs = Number.NEGATIVE_INFINITY;
  #backlogLoggedMs = Number.NEGATIVE_INFINITY;
  #stopped: Promise<void> | undefined;

  constructor(options: WalTriggerOptions) {
    this.#options = options;
    const { database, definition } = options.trigger;
    this.databaseId = database.id;
    this.table = definition.spec.kind === 'table' ? definition.spec.table : undefined;
    this.#queue = new WalQueue({ batchesMax: QUEUED_BATCHES_MAX, bytesMax: options.queueBytesMax });
    options.delivery.add(this);
  }

  get definition(): TriggerIdentity['definition'] {
    return this.#options.trigger.definition;
  }

  deliver(batch: WalBatch): void {
    if (!this.#queue.push(batch)) this.#skip();
    else if (this.#queue.isHalfFull) this.#tellOfBacklog();
    this.#note();
    // Writes that became durable together are delivered together, and not before they are answered.
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#next();
    });
  }

  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    const { delivery, runner } = this.#options;
    delivery.remove(this);
    this.#queue.clear();
    this.#note();
    await runner.stop(graceMs);
  }

  #next(): void {
    const { runner } = this.#options;
    const callsMax = this.definition.runAsync ? ASYNC_CALLS_MAX : 1;
    while (this.#running < callsMax && this.#queue.length > 0 && !runner.stopping.aborted) {
      const batches = this.#queue.take();
      this.#note();
      this.#running++;
      const isOwn = batches.every(({ origin }) => origin !== 'client' && origin.trigger === runner);
      void runner.run({ kind: 'wal', batches }).then((hasStored) => {
        if (isOwn) this.#noteEcho(hasStored);
        this.#running--;
        this.#next();
      });
    }
  }

  /** A call that got nothing but rows of the trigger itself has ended. */
  #noteEcho(hasStored: boolean): void {
    this.#echoes = hasStored ? this.#echoes + 1 : 0;
    if (this.#echoes === ECHOES_MAX) this.#options.runner.log('WARN', ECHO_TEXT);
  }

  #note(): void {
    const { figures } = this.#options;
    figures.queued = this.#queue.length;
    figures.queuedBytes = this.#queue.bytes;
  }

  #tellOfBacklog(): void {
    const { clock, runner } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#backlogLoggedMs < BACKLOG_LOG_MS) return;
    this.#backlogLoggedMs = nowMs;
    const waiting = `${this.#queue.length} batches (${this.#queue.bytes} bytes)`;
    runner.log('WARN', `the trigger falls behind: ${waiting} wait for it, and when its queue is full, writes are left out`);
  }

  #skip(): void {
    const { clock, figures, runner } = this.#options;
    figures.skippedBatches++;
    this.#skipped++;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#skippedLoggedMs < SKIPPED_LOG_MS) return;
    this.#skippedLoggedMs = nowMs;
    const full = `(${this.#queue.length} batches, ${this.#queue.bytes} bytes)`;
    runner.log('ERROR', `wal batch skipped: trigger queue is full ${full}; ${this.#skipped} skipped since the last such row`);
    this.#skipped = 0;
  }
}
