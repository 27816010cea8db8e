import { randomUUID } from 'node:crypto';
import type { Clock } from '../shared/clock.ts';
import { InfluxError } from '../shared/errors.ts';
import type { SnapshotSequence } from '../shared/ids.ts';
import type { Log } from '../shared/logger.ts';
import { nextTurn, type Timers } from '../shared/timers.ts';
import { errorText } from '../storage/index.ts';
import type { CatalogStore, LoadedCatalog } from './catalog-store.ts';
import { encodeCatalogFile } from './codec.ts';
import { catalogClosed, catalogUnavailable, catalogWriteFailed } from './errors.ts';
import { checkSteps } from './invariants.ts';
import type { CatalogLimits } from './limits.ts';
import type { CatalogChange, CatalogOp } from './ops.ts';
import type { Plan } from './plan.ts';
import { SchemaBatch } from './schema-batch.ts';
import type { CatalogState } from './state.ts';
import { dumpState } from './state-codec.ts';
import type { StagedSchema } from './transaction.ts';

/** Schema transactions that share one change at most; the rest waits for the next. */
const BATCH_MAX = 512;

/** Lines of a snapshot that are printed before other work gets a turn. */
const DUMP_LINES_PER_TURN = 500;

export type CommitOutcome = 'committed' | 'conflict';

type Job =
  | { readonly kind: 'schema'; readonly transaction: StagedSchema; readonly done: (outcome: CommitOutcome) => void; readonly failed: Fail }
  | { readonly kind: 'exclusive'; readonly run: () => Promise<void> };

type Fail = (error: unknown) => void;

export interface CommitQueueOptions {
  readonly store: CatalogStore;
  readonly loaded: LoadedCatalog;
  readonly uuid: string;
  readonly limits: CatalogLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Changes after which the snapshot is rewritten. */
  readonly changesPerSnapshot: number;
  /** For a store behind a network: who waits longer for a change is refused, although the change goes on. */
  readonly answerTime?: { readonly maxMs: number; readonly timers: Timers } | undefined;
}

/**
 * The one writer of the catalog: changes happen one after another, each durable before it is applied. Schema
 * transactions that wait together become one change.
 */
export class CommitQueue {
  readonly #store: CatalogStore;
  readonly #state: CatalogState;
  readonly #uuid: string;
  readonly #limits: CatalogLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #changesPerSnapshot: number;
  readonly #answerTime: CommitQueueOptions['answerTime'];
  readonly #writer = randomUUID();
  readonly #listeners = new Set<(change: CatalogChange) => void>();
  #jobs: Job[] = [];
  #sequence: number;
  #snapshotSequence: SnapshotSequence;
  #draining: Promise<void> | undefined;
  #snapshotting: Promise<void> | undefined;
  #closed = false;

  constructor(options: CommitQueueOptions) {
    this.#store = options.store;
    this.#state = options.loaded.state;
    this.#sequence = options.loaded.sequence;
    this.#snapshotSequence = options.loaded.snapshotSequence;
    this.#uuid = options.uuid;
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#changesPerSnapshot = options.changesPerSnapshot;
    this.#answerTime = options.answerTime;
  }

  get sequence(): number {
    return this.#sequence;
  }

  onChange(listener: (change: CatalogChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  commitSchema(transaction: StagedSchema): Promise<CommitOutcome> {
    return this.#inTime(new Promise((done, failed) => this.#enqueue({ kind: 'schema', transaction, done, failed })));
  }

  /** Plans on the state as it is when the turn comes, makes it durable, applies it. */
  change<T>(makePlan: (state: CatalogState) => Plan<T>): Promise<T> {
    return this.#inTime(
      this.#exclusive(async () => {
        const plan = makePlan(this.#state);
        await this.#makeDurable(plan.ops);
        return plan.result();
      }),
    );
  }

  /** The same, or a refusal when it takes too long. */
  #inTime<T>(change: Promise<T>): Promise<T> {
    const limit = this.#answerTime;
    if (limit === undefined) return change;
    return new Promise((resolve, reject) => {
      const cancel = limit.timers.after(limit.maxMs, () => reject(catalogUnavailable()));
      change.finally(cancel).then(resolve, reject);
    });
  }

  /**
   * The state of one moment as the bytes of a snapshot file. `capture` runs at that moment; changes wait until the bytes are made.
   */
  moment<T>(capture: (sequence: number) => T): Promise<{ readonly captured: T; readonly snapshot: Uint8Array }> {
    return this.#exclusive(async () => {
      const sequence = this.#sequence;
      const captured = capture(sequence);
      const payload = await this.#dump();
      return { captured, snapshot: encodeCatalogFile({ kind: 'snapshot', uuid: this.#uuid, sequence, payload }) };
    });
  }

  /** Finishes what waits and refuses everything later. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#store.beginClose();
    await this.#draining;
    await this.#snapshotting;
  }

  /** Rewrites the snapshot now. */
  snapshot(): Promise<void> {
    this.#snapshotting ??= this.#writeSnapshot().finally(() => {
      this.#snapshotting = undefined;
    });
    return this.#snapshotting;
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => work().then(resolve, reject);
      if (this.#closed) reject(catalogClosed());
      else this.#enqueue({ kind: 'exclusive', run });
    });
  }

  #enqueue(job: Job): void {
    if (this.#closed) {
      if (job.kind === 'schema') job.failed(catalogClosed());
      return;
    }
    this.#jobs.push(job);
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // requests of the same turn gather
    for (let first = this.#jobs[0]; first !== undefined; first = this.#jobs[0]) {
      if (first.kind === 'exclusive') {
        this.#jobs.shift();
        await first.run();
      } else {
        await this.#commitBatch();
      }
    }
    this.#draining = undefined; // in the same turn as the last look at the jobs
  }

  async #commitBatch(): Promise<void> {
    const batch = new SchemaBatch(this.#state, this.#limits);
    let count = 0;
    const merged: Extract<Job, { kind: 'schema' }>[] = [];
    for (const job of this.#jobs) {
      if (job.kind !== 'schema' || count === BATCH_MAX) break;
      count++;
      if (batch.merge(job.transaction) === 'merged') merged.push(job);
      else job.done('conflict');
    }
    this.#jobs = this.#jobs.slice(count);
    try {
      await this.#makeDurable(batch.ops());
      for (const job of merged) job.done('committed');
    } catch (error) {
      for (const job of merged) job.failed(error);
    }
  }

  async #makeDurable(ops: readonly CatalogOp[]): Promise<void> {
    if (ops.length === 0) return;
    checkSteps(this.#state, ops);
    const sequence = this.#sequence + 1;
    const timeNs = this.#clock.nowNs();
    try {
      const writer = this.#answerTime === undefined ? {} : { writer: this.#writer };
      await this.#store.append(this.#uuid, sequence, { timeNs: timeNs.toString(), ...writer, ops });
    } catch (error) {
      this.#log.error('catalog change could not be written', { error: errorText(error), sequence });
      throw error instanceof InfluxError ? error : catalogWriteFailed(error);
    }
    this.#sequence = sequence;
    for (const op of ops) this.#state.apply(op);
    this.#announce({ sequence, timeNs, ops });
    if (sequence - this.#snapshotSequence >= this.#changesPerSnapshot) void this.snapshot();
  }

  #announce(change: CatalogChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error('catalog listener failed', { error: errorText(error) });
      }
    }
  }

  /** The copy is taken while no change runs; it is written while changes go on. */
  async #writeSnapshot(): Promise<void> {
    try {
      const [sequence, payload] = await this.#exclusive(async () => [this.#sequence, await this.#dump()] as const);
      await this.#store.writeSnapshot(this.#uuid, sequence, payload);
      this.#snapshotSequence = sequence;
    } catch (error) {
      if (this.#closed) return;
      // The logs hold everything; the next attempt comes after as many changes again.
      this.#snapshotSequence = this.#sequence;
      this.#log.warn('catalog snapshot could not be written', { error: errorText(error) });
    }
  }

  async #dump(): Promise<Uint8Array> {
    const pieces: Buffer[] = [];
    let lines: string[] = [];
    for (const line of dumpState(this.#state)) {
      lines.push(line);
      if (lines.length < DUMP_LINES_PER_TURN) continue;
      pieces.push(Buffer.from(lines.join('')));
      lines = [];
      await nextTurn();
    }
    pieces.push(Buffer.from(lines.join('')));
    return Buffer.concat(pieces);
  }
}
