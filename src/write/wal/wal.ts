import { assert } from '../../shared/assert.ts';
import type { InfluxError } from '../../shared/errors.ts';
import type { WalFileNumber } from '../../shared/ids.ts';
import type { CancelTimer } from '../../shared/timers.ts';
import { errorText, TakenOver } from '../../storage/index.ts';
import { ClosedPeriods } from './closed-periods.ts';
import { walBufferFull, walShutdown, walTakenOver, walWriteFailed } from './errors.ts';
import { OpenPeriod, type WalPeriod } from './period.ts';
import { BODY_BYTES_MAX, FILE_HEADER_BYTES, type PreviousFile, recordBytes } from './record.ts';
import { RecordGroupEncoder } from './record-group.ts';
import type { HeldWalFile } from './wal-archive.ts';
import { BATCH_BYTES_MAX, BUFFERED_WRITES_MAX, FILE_BYTES_MAX, KEPT_BYTES_MAX, QUEUED_BYTES_MAX, type WalOptions } from './wal-options.ts';
import type { WalPace } from './wal-pace.ts';
import { openParts, type WalParts } from './wal-parts.ts';
import { complete, type DurableCallback, type QueuedRecord, rejectAll, WalQueue } from './wal-queue.ts';
import { type ClosedRecordHandler, EMPTY_REPORT, type ReplayOptions, type ReplayReport, readClosedFiles, replayWal } from './wal-replay.ts';
import type { WalTotals } from './wal-totals.ts';
import type { WalWriter } from './wal-writer.ts';

/** Records that share a write and a sync. */
interface Group {
  readonly period: OpenPeriod;
  readonly records: readonly QueuedRecord[];
  readonly durable: Promise<void>;
}

/**
 * The write-ahead log. Records are opaque; a file is one period. All records that wait while the disk is busy share
 * the next write and sync; a lone record is synced at once. One writer, no timer unless a period is open and not empty.
 */
export class Wal {
  readonly #options: WalOptions;
  readonly #parts: WalParts;
  readonly #queue: WalQueue;
  readonly #maxBufferedWrites: number;
  readonly #fileBytesMax: number;
  readonly #closed: ClosedPeriods;
  readonly #encoder = new RecordGroupEncoder();
  #open: OpenPeriod | undefined;
  /** The file that the last durable records went to. */
  #previous: PreviousFile = { fileNumber: 0, recordCount: 0 };
  #writer: { readonly period: OpenPeriod; readonly file: WalWriter } | undefined;
  #running = false;
  #cancelTimer: CancelTimer | undefined;
  #stopped = false;
  /** Why nothing can be added to a log in a bucket any more. */
  #ended: InfluxError | undefined;
  #failing = false;
  #failedRecords = 0;

  constructor(options: WalOptions) {
    this.#options = options;
    this.#closed = new ClosedPeriods(options.log);
    this.#parts = openParts(options);
    this.#queue = new WalQueue(options.queuedBytesMax ?? QUEUED_BYTES_MAX);
    this.#maxBufferedWrites = options.maxBufferedWrites ?? BUFFERED_WRITES_MAX;
    this.#fileBytesMax = options.fileBytesMax ?? (this.#parts.bucket === undefined ? FILE_BYTES_MAX : BATCH_BYTES_MAX);
  }

  /** Before the replay: ends the log of every other process in the bucket. Returns the claim's number, above `above`; undefined = no bucket. */
  async claim(above: WalFileNumber): Promise<WalFileNumber | undefined> {
    return this.#parts.bucket?.claim(above);
  }

  /** Once, before the first append. Throws `StorageStartupError` WAL_CORRUPT with `failOnError`, and what `onRecord` throws. */
  async replay(options: ReplayOptions): Promise<ReplayReport> {
    assert(this.#open === undefined, 'WAL is replayed twice');
    const none = { ...EMPTY_REPORT, highestNumber: options.afterFileNumber };
    const report =
      this.#options.durability === 'none' ? none : await replayWal({ ...this.#options, archive: this.#parts.archive }, options);
    this.#previous = report.previous;
    this.#open = new OpenPeriod(report.highestNumber + 1);
    return report;
  }

  /** File that a record appended in this same turn goes into. */
  get currentFileNumber(): number {
    return this.#currentPeriod().fileNumber;
  }

  get totals(): WalTotals {
    const { failedDeletes, totals } = this.#parts.archive;
    return {
      ...totals,
      failedDeletes,
      failedRecords: this.#failedRecords,
      queuedRecords: this.#queue.recordCount,
      queuedBytes: this.#queue.bytes,
    };
  }

  /** Called when a file got its last record and all are durable. Returns the function that ends it. */
  onPeriodClosed(listener: (period: WalPeriod) => void): () => void {
    return this.#closed.listen(listener);
  }

  /** Resolves when the queue has room again. Who does not wait for durability awaits this before the next append. */
  whenRoom(): Promise<void> {
    return this.#queue.whenRoom();
  }

  /**
   * Appends one record. A body that depends on the file that it is bound for is given as a function, which is called before
   * this returns, or never; the record then is in that file, or in none and nothing else will be in that file. The body is
   * written as it is: from here on it must not change. When the record is durable, `onDurable` runs with it (in the order of
   * the appends), then the promise resolves. Rejects with `InfluxError` WAL_BUFFER_FULL, WAL_SHUTDOWN or WAL_WRITE_FAILED, or
   * with what `body` threw; then the record is not in the log.
   */
  append(
    body: Uint8Array | ((fileNumber: WalFileNumber) => Uint8Array),
    minTimeNs: bigint,
    maxTimeNs: bigint,
    onDurable: DurableCallback,
  ): Promise<void> {
    if (this.#stopped) return Promise.reject(walShutdown());
    const refusal = this.#ended ?? this.#parts.pace?.outage;
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#queue.recordCount >= this.#maxBufferedWrites) return Promise.reject(walBufferFull(this.#queue.recordCount));
    const period = this.#currentPeriod();
    let encoded: Uint8Array;
    try {
      encoded = typeof body === 'function' ? body(period.fileNumber) : body;
      assert(encoded.byteLength <= BODY_BYTES_MAX, 'WAL record is too large');
      assert(period === this.#open, 'a WAL file ends while a record for it is encoded');
    } catch (error) {
      this.#giveUp(period);
      return Promise.reject(error);
    }
    return this.#enqueue(period, encoded, minTimeNs, maxTimeNs, onDurable);
  }

  /** What to wait for before a write is answered: `durable` itself, or a refusal when a bucket has not answered for too long. */
  answered(durable: Promise<void>): Promise<void> {
    return this.#parts.pace?.answered(durable) ?? durable;
  }

  #enqueue(period: OpenPeriod, body: Uint8Array, minTimeNs: bigint, maxTimeNs: bigint, onDurable: DurableCallback): Promise<void> {
    const bytes = recordBytes(body.byteLength);
    const index = period.appendedRecords;
    return new Promise((resolve, reject) => {
      this.#queue.push({ kind: 'record', period, body, index, bytes, minTimeNs, maxTimeNs, onDurable, resolve, reject });
      if (period.appendedRecords === 0) this.#begin(period);
      period.appendedRecords++;
      period.appendedBytes += bytes;
      if (period.appendedBytes >= this.#fileBytesMax) void this.#seal();
      this.#parts.pace?.look(this.#queue.bytes, false);
      this.#start();
    });
  }

  /** Ends the current period now. Resolves when everything appended before is settled and `onPeriodClosed` was called. */
  rotate(): Promise<void> {
    const done = this.#seal();
    this.#start();
    return done;
  }

  /**
   * Deletes files that a snapshot covers, except the newest `keep` of them (and fewer when those are large). Never
   * rejects: what cannot be deleted is tried again with the next call.
   */
  deleteCovered(lastCovered: number, keep: number): Promise<void> {
    return this.#parts.archive.deleteCovered(lastCovered, keep, KEPT_BYTES_MAX);
  }

  /** Keeps the closed files above `after` on disk until `release`; they are whole when `settled` resolves. */
  hold(after: number): { readonly files: readonly HeldWalFile[]; readonly release: () => void } {
    return this.#parts.archive.hold(after);
  }

  /** Resolves when every file that has got its last record is closed. */
  settled(): Promise<void> {
    return this.#closed.settled();
  }

  /**
   * Hands the records of closed files above `after`, up to `upTo`, to `onRecord`, in the order of the log. Rejects when a
   * file is not whole. Without durability there is nothing.
   */
  async readClosed(after: number, upTo: number, onRecord: ClosedRecordHandler): Promise<void> {
    await this.settled();
    await readClosedFiles({ ...this.#options, archive: this.#parts.archive }, { after, upTo }, onRecord);
  }

  /** Refuses new records, makes waiting ones durable, closes the period and its file. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const unused = this.#parts.writers.stop(); // first, so that the last group makes no file ready
    if (this.#open !== undefined) await this.rotate();
    await this.settled();
    await unused;
    if (this.#open !== undefined && this.#options.durability !== 'none') {
      await this.#parts.writers.leaveMark(this.#open.fileNumber, this.#previous);
    }
  }

  /** What was encoded for the file may define things that later records in it would rely on: the file ends. */
  #giveUp(period: OpenPeriod): void {
    if (period !== this.#open) return;
    if (period.appendedRecords === 0 && this.#parts.pace === undefined) {
      this.#openAfter(period);
      return;
    }
    void this.#seal('also empty'); // numbers of objects have no gaps
    this.#start();
  }

  #currentPeriod(): OpenPeriod {
    assert(this.#open !== undefined, 'WAL is used before it was replayed');
    const { startedAtMs } = this.#open;
    if (startedAtMs !== undefined && this.#options.clock.monotonicMs() - startedAtMs >= this.#options.flushIntervalMs) {
      void this.#seal();
      this.#start();
    }
    return this.#open;
  }

  #begin(period: OpenPeriod): void {
    if (this.#parts.pace !== undefined) return;
    period.startedAtMs = this.#options.clock.monotonicMs();
    this.#cancelTimer = this.#options.timers.after(this.#options.flushIntervalMs, () => {
      this.#cancelTimer = undefined;
      if (period === this.#open) void this.rotate();
    });
  }

  /** Puts the end of the open period into the queue and opens the next. An empty one stays open. */
  #seal(which: 'used' | 'also empty' = 'used'): Promise<void> {
    const period = this.#open;
    assert(period !== undefined, 'WAL is used before it was replayed');
    const ends = period.appendedRecords > 0 || which === 'also empty';
    if (ends) this.#openAfter(period);
    const sealed = new Promise<void>((resolve) => this.#queue.push({ kind: 'seal', period: ends ? period : undefined, resolve }));
    this.#parts.pace?.look(0, true);
    return sealed;
  }

  #openAfter(period: OpenPeriod): void {
    this.#open = new OpenPeriod(period.fileNumber + 1);
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    // At the end of this turn of the event loop: all requests that came in with it share the first sync.
    setImmediate(() => void (this.#parts.pace === undefined ? this.#run() : this.#runPaced(this.#parts.pace)));
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    for (let group = this.#nextGroup(); group !== undefined; ) {
      const { period, records }: Group = group;
      try {
        await group.durable;
      } catch (error) {
        await this.#fail(period, records, error);
        group = this.#nextGroup();
        continue;
      }
      this.#failing = false;
      // The disk goes on with what has come meanwhile; nothing of that is completed before this group is.
      const { first } = this.#queue;
      const next: Group | undefined = first?.kind === 'record' && first.period === period ? this.#beginGroup() : undefined;
      this.#settle(group);
      group = next ?? this.#nextGroup();
    }
    this.#running = false; // in the same turn as the last look at the queue
  }

  /**
   * The same for a log in a bucket: a group takes all records of the open period and ends it, and the next is begun when it is
   * known what became of it. Never rejects.
   */
  async #runPaced(pace: WalPace): Promise<void> {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      const isEnd = first.kind === 'seal' && (first.period === undefined || first.period.appendedRecords > 0 || first.period.closed);
      if (isEnd || this.#ended !== undefined) {
        this.#queue.shift();
        if (first.period !== undefined) this.#close(first.period);
        first.resolve();
        continue;
      }
      const period: OpenPeriod = first.period as OpenPeriod;
      await pace.turn(() => ({ bytes: this.#queue.bytes, isUrgent: this.#stopped || this.#queue.hasSeal }));
      if (period === this.#open) void this.#seal();
      const records = this.#queue.takeBatch(Number.POSITIVE_INFINITY);
      const settled = pace.begin();
      try {
        await this.#makeDurable(period, records);
      } catch (error) {
        this.#end(records, error);
        break;
      } finally {
        settled();
      }
      if (records.length === 0) period.closed = true;
      else this.#settle({ period, records });
    }
    this.#running = false;
  }

  /** Nothing can be added any more: somebody else does, or nobody knows what the last number holds. */
  #end(batch: readonly QueuedRecord[], cause: unknown): void {
    const error = cause instanceof TakenOver ? walTakenOver(cause) : walWriteFailed(cause);
    this.#ended = error;
    this.#options.log.error('the write-ahead log ends', { error: errorText(cause) });
    const queued = this.#queue.takeAll();
    const failed = [...batch, ...queued.filter((item) => item.kind === 'record')];
    this.#failedRecords += failed.length;
    this.#queue.settle(failed);
    rejectAll(failed, error);
    for (const item of queued) if (item.kind === 'seal') item.resolve();
  }

  /** The records of a group are durable. */
  #settle({ period, records }: Omit<Group, 'durable'>): void {
    for (const record of records) period.addDurable(record.minTimeNs, record.maxTimeNs);
    this.#previous = { fileNumber: period.fileNumber, recordCount: period.durableRecords };
    for (const record of records) complete(record);
    this.#queue.settle(records);
  }

  /** Ends periods up to the next record in the queue, and begins to write the group that it leads. */
  #nextGroup(): Group | undefined {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      if (first.kind === 'record') return this.#beginGroup();
      this.#queue.shift();
      if (first.period !== undefined) this.#close(first.period);
      first.resolve();
    }
    return undefined;
  }

  #beginGroup(): Group {
    const records = this.#queue.takeBatch(BATCH_BYTES_MAX);
    const [head] = records;
    assert(head !== undefined, 'a WAL group has no record');
    return { period: head.period, records, durable: this.#makeDurable(head.period, records) };
  }

  async #makeDurable(period: OpenPeriod, records: readonly QueuedRecord[]): Promise<void> {
    if (this.#options.durability === 'none') {
      await Promise.resolve(); // callbacks never run inside append
      return;
    }
    if (this.#writer?.period !== period) this.#writer = { period, file: await this.#parts.writers.take(period.fileNumber) };
    let bytes = 0;
    for (const record of records) bytes += record.bytes;
    await this.#writer.file.append(this.#encoder.encode(records), bytes, this.#previous);
    const recordCount = period.durableRecords + records.length;
    this.#parts.writers.prepare(period.fileNumber + 1, { fileNumber: period.fileNumber, recordCount });
  }

  /** The file ends at its last durable record; the log goes on with the next number. */
  async #fail(period: OpenPeriod, batch: readonly QueuedRecord[], cause: unknown): Promise<void> {
    if (period === this.#open) this.#openAfter(period);
    const failed = [...batch, ...this.#queue.takePeriod(period)];
    this.#failedRecords += failed.length;
    const fields = { fileNumber: period.fileNumber, error: errorText(cause) };
    if (!this.#failing) this.#options.log.error('WAL write failed', fields);
    this.#failing = true;
    try {
      await this.#writer?.file.abandon();
    } catch (error) {
      this.#options.log.warn('failed WAL file could not be cut back', { ...fields, error: errorText(error) });
    }
    this.#close(period);
    this.#queue.settle(failed);
    rejectAll(failed, walWriteFailed(cause));
  }

  /** After the last record of a period. Does nothing the second time, nor for a period without a durable record. */
  #close(period: OpenPeriod): void {
    if (period.closed) return;
    period.closed = true;
    let bytes = FILE_HEADER_BYTES + period.appendedBytes;
    if (this.#writer?.period === period) {
      const { file } = this.#writer;
      this.#writer = undefined;
      bytes = file.length;
      this.#parts.writers.noteClosed(file);
      this.#closed.close(file);
    }
    if (period.durableRecords === 0) return;
    if (this.#options.durability !== 'none') this.#parts.archive.note(period.fileNumber, bytes);
    const { fileNumber, minTimeNs, maxTimeNs } = period;
    this.#closed.announce({ fileNumber, minTimeNs, maxTimeNs, bytes });
  }
}
