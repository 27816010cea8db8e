/**
 * Shared by: every write, query, row delete and metric of the server. What they share is which `WriteStore` is in use; it
 * changes in synchronous steps only. An operation keeps the store that it began with: after DuckDB has failed, what it waits
 * for in that store ends with an error or, if the log has it, with success, before the next store reads the same files.
 */
import type { TableSchema } from '../catalog/schema.ts';
import { type Engine, engineFailed } from '../duckdb/index.ts';
import { InfluxError } from '../shared/errors.ts';
import { type CancelTimer, pause, systemTimers, type Timers } from '../shared/timers.ts';
import { errorText } from '../storage/index.ts';
import type { DeleteRequest } from './deletes/index.ts';
import type { DurableListener } from './durable-rows.ts';
import type { PinnedMoment } from './pin/index.ts';
import type { SeriesIndex } from './series/index.ts';
import type { WriteOutcome, WriteRequest, WriteService } from './write-service.ts';
import { type StoredTablePeek, type StoredTableSnapshot, WriteStore, type WriteStoreOptions } from './write-store.ts';

/** Opens DuckDB, and opens it again. */
export interface EngineSource {
  /** The open instance; opens one if need be. */
  get(): Promise<Engine>;
  /** Calls back whenever an instance that was opened has failed. */
  onFailure(listener: (failure: InfluxError) => void): void;
  /** Gives the instance up; the next `get` opens another. */
  discard(): Promise<void>;
}

export interface ReopeningStoreOptions extends Omit<WriteStoreOptions, 'engine'> {
  readonly engine: EngineSource;
  /** How long the failed store may take to end what it does; 30 s by default. */
  readonly closeTimeMaxMs?: number;
}

/** A listener of durable rows, and what ends its subscription to the store in use. */
interface Following {
  readonly listener: DurableListener;
  end: () => void;
}

/** What the server can do: everything; nothing for a moment; nothing until it is started again. */
export type StoreState = { readonly kind: 'open' } | { readonly kind: 'reopening' | 'lost'; readonly reason: string };

/** More failures than this within the time are no accident: a person, or a supervisor, must look. */
const REOPENINGS_MAX = 5;
const REOPENINGS_SPAN_MS = 10 * 60_000;

const CLOSE_TIME_MAX_MS = 30_000;
const RETRY_PAUSE_MS = 1_000;

/**
 * The write store of a server, opened again by itself from files and log when DuckDB has failed. Meanwhile every operation
 * fails with ENGINE_RESTARTING (503). It gives up, and says so, when that happens too often, and with a store without a
 * log, whose buffered rows are gone.
 */
export class ReopeningStore implements WriteService {
  readonly chunkDurationNs: bigint;
  readonly #options: ReopeningStoreOptions;
  readonly #reopenedListeners: (() => void)[] = [];
  readonly #lostListeners: ((reason: string) => void)[] = [];
  readonly #reopenedAtMs: number[] = [];
  readonly #timers: Timers;
  readonly #following = new Set<Following>();
  readonly #stopping = new AbortController();
  #store: WriteStore;
  #state: StoreState = { kind: 'open' };
  #recovery: Promise<void> | undefined;

  /** As `WriteStore.open`. */
  static async open(options: ReopeningStoreOptions): Promise<ReopeningStore> {
    const store = await WriteStore.open({ ...options, engine: () => options.engine.get() });
    return new ReopeningStore(options, store);
  }

  private constructor(options: ReopeningStoreOptions, store: WriteStore) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#store = store;
    this.chunkDurationNs = store.chunkDurationNs;
    options.engine.onFailure((failure) => this.#engineFailed(failure));
    options.store.fence.onLost((reason) => {
      if (!this.#stopping.signal.aborted) this.#lose(reason);
    });
  }

  /** The store in use, or the one that was in use last: for figures. */
  get store(): WriteStore {
    return this.#store;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Calls back in the step in which a new store takes over: whatever was derived from rows of the old one must go. */
  onReopened(listener: () => void): void {
    this.#reopenedListeners.push(listener);
  }

  /** Calls back once, when the store cannot be opened again. */
  onLost(listener: (reason: string) => void): void {
    if (this.#state.kind === 'lost') listener(this.#state.reason);
    else this.#lostListeners.push(listener);
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    return this.#use((store) => store.write(request));
  }

  /** As `WriteStore.deleteRows`. */
  async deleteRows(database: string, request: DeleteRequest): Promise<void> {
    return this.#use((store) => store.deleteRows(database, request));
  }

  /** As `WriteStore.snapshot`. */
  async snapshot(table: TableSchema, minTimeNs: bigint | undefined, maxTimeNs: bigint | undefined): Promise<StoredTableSnapshot> {
    return this.#use((store) => store.snapshot(table, minTimeNs, maxTimeNs));
  }

  /** As `WriteStore.pin`; the moment is lost when the store is opened anew. */
  async pin(): Promise<PinnedMoment> {
    return this.#use((store) => store.pin());
  }

  /** As `WriteStore.peek`. Throws ENGINE_RESTARTING. */
  peek(table: TableSchema, minTimeNs: bigint | undefined, maxTimeNs: bigint | undefined): StoredTablePeek {
    return this.#usable().peek(table, minTimeNs, maxTimeNs);
  }

  /** As `WriteStore.onDurable`; goes on with the store that takes over when this one has failed. */
  onDurable(listener: DurableListener): () => void {
    const following: Following = { listener, end: this.#store.onDurable(listener) };
    this.#following.add(following);
    return () => {
      this.#following.delete(following);
      following.end();
    };
  }

  /** As `WriteStore.seriesOf`. */
  seriesOf(table: TableSchema): SeriesIndex {
    return this.#store.seriesOf(table);
  }

  /** Exact, case-sensitive. */
  table(database: string, name: string): TableSchema | undefined {
    return this.#store.table(database, name);
  }

  /** As `WriteStore.beginStop`. A store that failed is not opened again. */
  beginStop(): void {
    this.#stopping.abort();
    if (this.#state.kind === 'open') this.#store.beginStop();
  }

  /** Makes waiting writes durable and ends background work. Buffered rows stay in the log. */
  async stop(): Promise<void> {
    this.beginStop();
    await this.#recovery;
    // Also a store that another process has taken over: what still runs must end.
    if (this.#state.kind === 'open' || this.#options.store.fence.reason !== undefined) await this.#store.stop();
  }

  #usable(): WriteStore {
    if (this.#state.kind !== 'open') throw engineFailed();
    return this.#store;
  }

  /** Failures that come from the end of the store are told as what they are. */
  async #use<T>(operation: (store: WriteStore) => Promise<T>): Promise<T> {
    const store = this.#usable();
    try {
      return await operation(store);
    } catch (error) {
      const ended = this.#state.kind !== 'open' || this.#store !== store;
      if (ended && !(error instanceof InfluxError && error.status < 500)) throw engineFailed(error);
      throw error;
    }
  }

  #engineFailed(failure: InfluxError): void {
    // While a store is being opened, the opening itself hears of the failure.
    if (this.#state.kind !== 'open' || this.#stopping.signal.aborted) return;
    const reason = errorText(failure.cause ?? failure);
    this.#state = { kind: 'reopening', reason };
    this.#options.log.error('the query engine failed; reopening it from files and log', { error: reason });
    this.#recovery = this.#recover(reason);
  }

  /** Never rejects. */
  async #recover(reason: string): Promise<void> {
    const { log, store } = this.#options;
    try {
      if (!(await this.#ended())) return this.#lose('what the failed query engine did has not ended in time');
    } catch (error) {
      return this.#lose(`the store of the failed query engine could not be closed: ${errorText(error)}`);
    }
    if (!store.durable) return this.#lose('the query engine failed, and the rows that were in its memory are in no log');
    while (!this.#stopping.signal.aborted) {
      if (!this.#mayReopen()) return this.#lose(`the query engine failed more than ${REOPENINGS_MAX} times within 10 minutes: ${reason}`);
      try {
        await this.#reopen();
        return;
      } catch (error) {
        log.error('the store could not be reopened', { error: errorText(error) });
        await pause(this.#timers, this.#options.retryPauseMs ?? RETRY_PAUSE_MS, this.#stopping.signal);
      }
    }
  }

  /** Ends the old store. False = something of it still runs, and could change files under the next one. */
  async #ended(): Promise<boolean> {
    let cancel: CancelTimer | undefined;
    const tooLong = new Promise<false>((resolve) => {
      cancel = this.#timers.after(this.#options.closeTimeMaxMs ?? CLOSE_TIME_MAX_MS, () => resolve(false), 'keepsAlive');
    });
    try {
      return await Promise.race([this.#store.stop().then(() => true), tooLong]);
    } finally {
      cancel?.();
    }
  }

  async #reopen(): Promise<void> {
    const { clock, engine, log, onApplied } = this.#options;
    const started = clock.monotonicMs();
    await engine.discard();
    // Whoever follows the rows starts anew in the moment in which the store takes over, from stored rows.
    let follows = false;
    const store = await WriteStore.open({
      ...this.#options,
      engine: () => engine.get(),
      onApplied: (table, section, series) => {
        if (follows) onApplied?.(table, section, series);
      },
    });
    const failure = (await engine.get()).failure;
    if (failure !== undefined) {
      await store.stop();
      throw failure;
    }
    follows = true;
    this.#store = store;
    this.#state = { kind: 'open' };
    for (const following of this.#following) {
      following.end();
      following.end = store.onDurable(following.listener);
    }
    for (const listener of this.#reopenedListeners) listener();
    log.info('the query engine was reopened', { elapsed_ms: Math.round(clock.monotonicMs() - started) });
  }

  #mayReopen(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    while ((this.#reopenedAtMs[0] ?? nowMs) < nowMs - REOPENINGS_SPAN_MS) this.#reopenedAtMs.shift();
    if (this.#reopenedAtMs.length >= REOPENINGS_MAX) return false;
    this.#reopenedAtMs.push(nowMs);
    return true;
  }

  #lose(reason: string): void {
    if (this.#state.kind === 'lost') return;
    this.#state = { kind: 'lost', reason };
    this.#options.log.error('the server cannot go on: start it again', { reason });
    for (const listener of this.#lostListeners.splice(0)) listener(reason);
  }
}
