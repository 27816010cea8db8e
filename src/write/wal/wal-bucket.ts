import { randomBytes } from 'node:crypto';
import type { WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { unlessAborted } from '../../shared/signals.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import { type BucketStore, createKnown, errorText, type Fence, pauseBefore, TakenOver } from '../../storage/index.ts';
import { encodeObjectHeader, OBJECT_HEADER_BYTES, type PreviousFile } from './record.ts';
import { type ListedWal, listedWal, WalArchive, walFileName } from './wal-archive.ts';
import type { WalWriter, WalWriters } from './wal-writer.ts';

const FOLDER = 'wal/';

/** Attempts that may fail before anything is said: connections end now and then. */
const ATTEMPTS_QUIET = 2;

/** A stop waits for so many deletes at most. */
const OBJECTS_REMOVED_AT_ONCE = 250;

/** What a stop waits for a store that does not answer. */
const STOP_TIME_MAX_MS = 10_000;

export interface WalBucketOptions {
  readonly bucket: BucketStore;
  /** Catalog UUID. */
  readonly uuid: string;
  readonly log: Log;
  readonly fence: Fence;
  readonly timers: Timers;
}

/**
 * A log of which each group of records is an object below `wal/`, created once and never overwritten. Numbers have no gaps: a
 * number is used when it is known what the one before holds. So a process that puts its claim at the next number ends the
 * log of every other process.
 */
export class WalBucket extends WalArchive implements WalWriters {
  protected override readonly removedAtOnce = OBJECTS_REMOVED_AT_ONCE;
  readonly #options: WalBucketOptions;
  readonly #nonce = randomBytes(8);
  readonly #stopping = new AbortController();
  #troubled = false;

  constructor(options: WalBucketOptions) {
    super(options.log);
    this.#options = options;
  }

  /**
   * Puts the claim of this process at the first free number, above `above` at least, and returns it: no other process can add
   * to the log from then on.
   */
  async claim(above: WalFileNumber): Promise<WalFileNumber> {
    const { fence, uuid } = this.#options;
    const { highest } = await this.list();
    for (let fileNumber = Math.max(highest, above) + 1; ; fileNumber++) {
      if (fence.reason !== undefined) throw new TakenOver(fence.reason);
      const header = encodeObjectHeader(fileNumber, uuid, { fileNumber: 0, recordCount: 0 }, this.#nonce);
      if ((await this.#create(fileNumber, header)) === 'created') return fileNumber;
    }
  }

  locate(fileNumber: WalFileNumber): string {
    return this.#options.bucket.locate(keyOf(fileNumber));
  }

  /**
   * Claims are not noted, so they are never deleted: a process that was stopped for long tries the number of the claim after
   * it, whenever it goes on.
   */
  async list(): Promise<ListedWal> {
    const names: string[] = [];
    for await (const { key, sizeBytes } of this.#options.bucket.entries(FOLDER)) {
      names.push(key.slice(FOLDER.length));
      const number = listedWal([names.at(-1) as string]).numbers[0];
      if (number !== undefined && sizeBytes > OBJECT_HEADER_BYTES) this.note(number, sizeBytes);
    }
    return listedWal(names);
  }

  read(fileNumber: WalFileNumber): Promise<Uint8Array> {
    return this.#options.bucket.get(keyOf(fileNumber));
  }

  /** The object stays: its number must not become free. */
  async setAside(fileNumber: WalFileNumber): Promise<string> {
    return this.locate(fileNumber);
  }

  async cutOff(): Promise<void> {
    // as above
  }

  async removeUnused(): Promise<void> {
    // as above: it is the claim of a process
  }

  protected async remove(fileNumbers: readonly WalFileNumber[]): Promise<void> {
    if (this.#options.fence.reason !== undefined) throw new Error(this.#options.fence.reason);
    await this.#options.bucket.delete(fileNumbers.map(keyOf));
  }

  async take(fileNumber: WalFileNumber): Promise<WalWriter> {
    return new WalObjectWriter((parts, previous) => this.#write(fileNumber, parts, previous));
  }

  prepare(): void {
    // an object needs none
  }

  noteClosed(): void {
    // nothing is expected of the next
  }

  async leaveMark(): Promise<void> {
    // every number that was used has an object
  }

  async stop(): Promise<void> {
    this.#options.timers.after(STOP_TIME_MAX_MS, () => this.#stopping.abort(new Error('the store did not answer before the stop')));
  }

  /** Rejects with `TakenOver`, or when the log was stopped meanwhile: then nobody knows whether the object will be there. */
  async #write(fileNumber: WalFileNumber, parts: readonly Uint8Array[], previous: PreviousFile): Promise<number> {
    const { fence, log, uuid } = this.#options;
    const bytes = Buffer.concat([encodeObjectHeader(fileNumber, uuid, previous, this.#nonce), ...parts]);
    const outcome = await unlessAborted(this.#create(fileNumber, bytes), this.#stopping.signal); // or the stop has waited long enough
    if (outcome === 'taken') throw fence.lose(this.locate(fileNumber));
    if (this.#troubled) log.info('the object store takes the write-ahead log again', { fileNumber });
    this.#troubled = false;
    return bytes.byteLength;
  }

  #create(fileNumber: WalFileNumber, bytes: Uint8Array): Promise<'created' | 'taken'> {
    const { bucket, fence, log, timers } = this.#options;
    const key = keyOf(fileNumber);
    if (fence.reason !== undefined) return Promise.resolve('taken');
    return createKnown(bucket, key, bytes, {
      isOurs: async (objects) => {
        const header = await objects.getRange(key, 0, OBJECT_HEADER_BYTES);
        return Buffer.compare(header, bytes.subarray(0, OBJECT_HEADER_BYTES)) === 0;
      },
      pause: async (attempt, error) => {
        if (attempt === ATTEMPTS_QUIET) {
          log.error('the object store does not take the write-ahead log; retrying', { error: errorText(error) });
          this.#troubled = true;
        }
        await pause(timers, pauseBefore(attempt), this.#stopping.signal);
        this.#stopping.signal.throwIfAborted();
      },
    });
  }
}

/** Writes an object, in one piece. */
class WalObjectWriter implements WalWriter {
  readonly smallBytes = 0;
  readonly #write: (parts: readonly Uint8Array[], previous: PreviousFile) => Promise<number>;
  #length = 0;

  constructor(write: (parts: readonly Uint8Array[], previous: PreviousFile) => Promise<number>) {
    this.#write = write;
  }

  get length(): number {
    return this.#length;
  }

  async append(parts: readonly Uint8Array[], _byteLength: number, previous: PreviousFile): Promise<void> {
    this.#length = await this.#write(parts, previous);
  }

  async abandon(): Promise<void> {
    // nothing can be taken back
  }

  async close(): Promise<void> {
    // it is complete
  }
}

function keyOf(fileNumber: WalFileNumber): string {
  return FOLDER + walFileName(fileNumber);
}
