import type { SnapshotSequence } from '../shared/ids.ts';
import type { Log } from '../shared/logger.ts';
import { unlessAborted } from '../shared/signals.ts';
import { pause, type Timers } from '../shared/timers.ts';
import {
  Checkpoints,
  CORRUPT_SUFFIX,
  createKnown,
  errorText,
  type Fence,
  LogPruning,
  type ObjectStore,
  ObjectStoreError,
  pauseBefore,
  StorageStartupError,
  sameBytes,
  setAside,
  TakenOver,
} from '../storage/index.ts';
import { type CatalogFile, decodeCatalogFile, encodeCatalogFile } from './codec.ts';
import type { CatalogOp } from './ops.ts';
import { CatalogState } from './state.ts';
import { loadState } from './state-codec.ts';

const FOLDER = 'catalog/v3/';
/** Of the object that a start reads first. */
export const CATALOG_SNAPSHOT_KEY = `${FOLDER}snapshot`;
const LOGS = `${FOLDER}logs/`;

/** In a store that is shared: snapshots under their sequence, which no process can replace. */
const CHECKPOINTS = { folder: `${FOLDER}checkpoints/`, suffix: '.catalog' };

const LOG_NAME = /^(\d{20})\.catalog$/;
const CORRUPT_LOG_NAME = /^(\d{20})\.catalog\.corrupt/;

/** Logs at or below the snapshot that are kept, for people who look into what happened. */
const COVERED_LOGS_KEPT = 100;

/** How often a start reads the catalog again because logs were deleted meanwhile. */
const LOAD_ATTEMPTS_MAX = 10;

/** Logs that a start reads at the same time. */
const LOGS_READ_AHEAD = 8;

/** What a log file's payload holds. */
export interface LogPayload {
  readonly timeNs: string;
  /** Random name of the process that wrote it, so that no two write the same bytes. */
  readonly writer?: string;
  readonly ops: readonly CatalogOp[];
}

/** What was on disk. `uuid` undefined = nothing, a first start. */
export interface LoadedCatalog {
  readonly uuid: string | undefined;
  readonly state: CatalogState;
  /** Of the last change that counts, or the number of a file moved aside: the next change gets one more. */
  readonly sequence: number;
  /** Sequence of the snapshot or checkpoint, 0 without one. */
  readonly snapshotSequence: SnapshotSequence;
  readonly movedAside: readonly string[];
}

/** What a catalog needs to know when other processes can reach its objects too. */
export interface SharedCatalog {
  readonly fence: Fence;
  readonly timers: Timers;
}

/** What a stop waits for a store that does not answer. */
const STOP_TIME_MAX_MS = 10_000;

/**
 * The objects of the catalog: a log of changes, and a snapshot of the state after one of them. In a store that is shared snapshots
 * are checkpoints: a process that was stopped for long could put an older snapshot back.
 */
export class CatalogStore {
  readonly #objects: ObjectStore;
  readonly #log: Log;
  readonly #shared: SharedCatalog | undefined;
  readonly #closing = new AbortController();
  readonly #checkpoints: Checkpoints<CatalogFile>;
  readonly #pruning: LogPruning<CatalogFile> | undefined;
  /** The newest checkpoint that was there when the load began. */
  #loadedCheckpoint = 0;
  /** Whether the first change of this process is known to have ended all others. */
  #isClaimed = false;
  /** A log whose fate is unknown since its creation failed; no other change may become durable before it is gone. */
  #uncertainKey: string | undefined;

  constructor(objects: ObjectStore, log: Log, shared?: SharedCatalog) {
    this.#shared = shared;
    this.#objects = objects;
    this.#log = log;
    const format = { ...CHECKPOINTS, what: 'catalog', encode: encodeCatalogFile, decode: decodeSnapshot };
    this.#checkpoints = new Checkpoints(objects, format, log);
    if (shared === undefined) return;
    const { fence } = shared;
    const keys = (after: number, upTo: number): AsyncIterable<string> => this.#logKeys(after, upTo);
    this.#pruning = new LogPruning({ objects, checkpoints: this.#checkpoints, fence, log, what: 'catalog changes', keys, mayBeClaim });
  }

  /**
   * Throws `StorageStartupError` when what is there cannot be trusted.
   * @param knownSequence a change that must be there
   */
  async load(knownSequence: number): Promise<LoadedCatalog> {
    await this.#objects.prepare(LOGS);
    await this.#objects.prepare(FOLDER);
    for (let attempt = 1; ; attempt++) {
      const written = await this.#checkpoints.sequences();
      this.#loadedCheckpoint = written[0] ?? 0;
      try {
        return await this.#loadOnce(await this.#checkpoints.newest(written), knownSequence);
      } catch (error) {
        // Another process that still runs deletes logs that a checkpoint stands for.
        if (attempt >= LOAD_ATTEMPTS_MAX || !(await this.#isOvertaken())) throw error;
      }
    }
  }

  async #loadOnce(checkpoint: CatalogFile | undefined, knownSequence: number): Promise<LoadedCatalog> {
    const snapshot = await this.#newestState(checkpoint);
    const names = await this.#logNames(snapshot?.sequence ?? 0);
    const sequences = numbersOf(names, LOG_NAME);
    const skipped = new Set(numbersOf(names, CORRUPT_LOG_NAME));
    const state = snapshot === undefined ? new CatalogState() : this.#loadSnapshotState(snapshot);
    const snapshotSequence = snapshot?.sequence ?? 0;
    const movedAside: string[] = [];
    let uuid = snapshot?.uuid;
    let sequence = snapshotSequence;
    const last = sequences.at(-1);
    const needed = sequences.filter((number) => number > snapshotSequence);
    const logs = this.#readAhead(needed);
    for (const number of needed) {
      for (let missing = sequence + 1; missing < number; missing++) {
        if (!skipped.has(missing)) throw corrupt(this.#locate(logKey(missing)), 'file is missing');
      }
      sequence = number;
      const path = this.#locate(logKey(number));
      const file = decodeCatalogFile(await logs(), 'log');
      if (typeof file === 'string' || file.sequence !== number) {
        const reason = typeof file === 'string' ? file : 'file has the name of another sequence';
        if (number !== last || !isCutOff(reason) || this.#shared !== undefined) throw corrupt(path, reason);
        movedAside.push(await setAside(this.#objects, logKey(number)));
        this.#log.warn('incomplete last catalog change moved aside', { path, reason });
        continue;
      }
      if (uuid !== undefined && uuid !== file.uuid) throw foreign(path, file.uuid, uuid);
      uuid = file.uuid;
      applyLog(state, path, file);
    }
    if (state.renamedApart.length > 0)
      this.#log.warn('names that two databases or tables shared were told apart', { count: state.renamedApart.length });
    sequence = Math.max(sequence, ...skipped);
    if (sequence < knownSequence)
      throw corrupt(this.#locate(logKey(sequence + 1)), `file is missing, snapshot infos know changes up to ${knownSequence}`);
    return { uuid, state, sequence, snapshotSequence, movedAside };
  }

  /**
   * Makes one change durable. When it throws, the change did not happen; only a crash right after may bring it back. In a store
   * that is shared it goes on until it is known what the number holds, and throws `TakenOver` when that is not this change.
   */
  async append(uuid: string, sequence: number, payload: LogPayload): Promise<void> {
    await this.#clearUncertain();
    const key = logKey(sequence);
    const bytes = encodeCatalogFile({ kind: 'log', uuid, sequence, payload: Buffer.from(JSON.stringify(payload)) });
    if (this.#shared !== undefined) return this.#appendShared(this.#shared, key, bytes);
    try {
      await this.#objects.put(key, bytes, 'create');
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'EXISTS') throw error; // not ours: never remove it
      this.#uncertainKey = key;
      await this.#clearUncertain().catch(() => undefined); // tried again before the next change
      throw error;
    }
  }

  async #appendShared({ fence, timers }: SharedCatalog, key: string, bytes: Uint8Array): Promise<void> {
    if (fence.reason !== undefined) throw new TakenOver(fence.reason);
    const { signal } = this.#closing;
    const pauseAfter = async (attempt: number, error: unknown): Promise<void> => {
      if (attempt === 0) this.#log.error('catalog change could not be written; retrying', { error: errorText(error) });
      await pause(timers, pauseBefore(attempt), signal);
      signal.throwIfAborted();
    };
    const creating = createKnown(this.#objects, key, bytes, { isOurs: sameBytes(key, bytes), pause: pauseAfter });
    const outcome = await unlessAborted(creating, signal);
    if (outcome === 'taken') throw fence.lose(this.#locate(key));
    for (let attempt = 0; !this.#isClaimed; attempt++) {
      try {
        if (await this.#isOvertaken()) throw fence.lose(this.#locate(key));
        this.#isClaimed = true;
      } catch (error) {
        if (!(error instanceof ObjectStoreError)) throw error;
        await pauseAfter(attempt, error);
      }
    }
  }

  /**
   * Whether logs may have been deleted that were not read, or among which the first change of this process was put: another one
   * that still ran wrote a checkpoint since the load began. The change is then as good as none.
   */
  async #isOvertaken(): Promise<boolean> {
    const [newest = 0] = await this.#checkpoints.sequences();
    return newest > this.#loadedCheckpoint;
  }

  /** Changes under way are given up when the store does not answer in time; deletes end at once. */
  beginClose(): void {
    this.#pruning?.stop();
    this.#shared?.timers.after(STOP_TIME_MAX_MS, () => this.#closing.abort(new Error('the store did not answer before the stop')));
  }

  /** Makes a snapshot durable, then deletes logs that it covers, and in a store that is shared those that the one before it covers. */
  async writeSnapshot(uuid: string, sequence: number, payload: Uint8Array): Promise<void> {
    const snapshot: CatalogFile = { kind: 'snapshot', uuid, sequence, payload };
    if (this.#pruning !== undefined) {
      await this.#pruning.write(snapshot);
      return this.#pruning.prune();
    }
    await this.#objects.put(CATALOG_SNAPSHOT_KEY, encodeCatalogFile(snapshot), 'overwrite');
    if (this.#loadedCheckpoint > 0) await this.#checkpoints.removeBefore(sequence + 1); // of the bucket that this was copied from
    const covered = numbersOf(await this.#logNames(0), LOG_NAME).filter((number) => number <= sequence);
    await this.#objects.delete(covered.slice(0, Math.max(0, covered.length - COVERED_LOGS_KEPT)).map(logKey));
  }

  /** Reads logs one after the other, some of them while earlier ones are applied: a bucket answers each after a while. */
  #readAhead(numbers: readonly number[]): () => Promise<Uint8Array> {
    const reading: Promise<Uint8Array>[] = [];
    let next = 0;
    return () => {
      for (; reading.length < LOGS_READ_AHEAD && next < numbers.length; next++) {
        const log = this.#objects.get(logKey(numbers[next] ?? 0));
        log.catch(() => undefined); // awaited, and so reported, when its turn comes
        reading.push(log);
      }
      return reading.shift() ?? Promise.reject(new Error('all logs were read'));
    };
  }

  /** Of the logs of changes after this one. */
  async #logNames(after: number): Promise<string[]> {
    const names: string[] = [];
    for await (const key of this.#objects.list(LOGS, logKey(after))) names.push(key.slice(LOGS.length));
    return names;
  }

  async *#logKeys(after: number, upTo: number): AsyncGenerator<string> {
    for await (const key of this.#objects.list(LOGS, logKey(after))) {
      if (key > logKey(upTo)) return;
      if (LOG_NAME.test(key.slice(LOGS.length))) yield key;
    }
  }

  /** The checkpoint, or the snapshot when that is newer. */
  async #newestState(checkpoint: CatalogFile | undefined): Promise<CatalogFile | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#objects.get(CATALOG_SNAPSHOT_KEY);
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return checkpoint;
      throw error;
    }
    const file = decodeSnapshot(bytes);
    if (typeof file !== 'string') return file.sequence > (checkpoint?.sequence ?? 0) ? file : checkpoint;
    const path = this.#locate(CATALOG_SNAPSHOT_KEY);
    const [first = ''] = checkpoint === undefined ? await this.#logNames(0) : [];
    const logsAreComplete = first.startsWith(logKey(1).slice(LOGS.length));
    if (checkpoint === undefined && !logsAreComplete) throw corrupt(path, file);
    const movedTo = this.#shared === undefined ? await setAside(this.#objects, CATALOG_SNAPSHOT_KEY) : path;
    this.#log.warn('catalog snapshot cannot be used, the catalog is read from its logs', { path: movedTo, reason: file });
    return checkpoint;
  }

  #loadSnapshotState(snapshot: CatalogFile): CatalogState {
    try {
      return loadState(snapshot.payload);
    } catch (error) {
      throw corrupt(this.#locate(CATALOG_SNAPSHOT_KEY), errorText(error), error);
    }
  }

  async #clearUncertain(): Promise<void> {
    if (this.#uncertainKey === undefined) return;
    await this.#objects.delete([this.#uncertainKey]);
    this.#uncertainKey = undefined;
  }

  #locate(key: string): string {
    return this.#objects.locate(key);
  }
}

function logKey(sequence: number): string {
  return `${LOGS}${String(sequence).padStart(20, '0')}.catalog`;
}

function decodeSnapshot(bytes: Uint8Array): CatalogFile | string {
  return decodeCatalogFile(bytes, 'snapshot');
}

function payloadOf(file: CatalogFile): LogPayload {
  return JSON.parse(Buffer.from(file.payload).toString('utf8')) as LogPayload;
}

/** Whether a process tells in a log that it begins, which no other one does before it; or nobody can tell what is in it. */
function mayBeClaim(bytes: Uint8Array): boolean {
  const file = decodeCatalogFile(bytes, 'log');
  return typeof file === 'string' || payloadOf(file).ops.some((change) => change.op === 'put_node' && change.node.state === 'running');
}

function applyLog(state: CatalogState, path: string, file: CatalogFile): void {
  try {
    for (const op of payloadOf(file).ops) state.apply(op);
  } catch (error) {
    throw corrupt(path, errorText(error), error);
  }
}

function numbersOf(names: readonly string[], pattern: RegExp): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const digits = pattern.exec(name)?.[1];
    if (digits !== undefined) numbers.push(Number(digits));
  }
  return numbers.sort((a, b) => a - b);
}

/**
 * A crash can cut a file off at most. Anything else is damage to a change that was acknowledged: without it rows in the log
 * would have no table, and its ids would be given out again.
 */
function isCutOff(reason: string): boolean {
  return reason.startsWith('file is empty') || reason.startsWith('file is shorter');
}

function corrupt(path: string, reason: string, cause?: unknown): StorageStartupError {
  const message =
    `catalog file '${path}' cannot be used: ${reason}; ` +
    `restore the catalog directory from a backup, or, when it is the last log, rename it to '*${CORRUPT_SUFFIX}' to start without its change`;
  return new StorageStartupError('CATALOG_CORRUPT', message, cause);
}

function foreign(path: string, got: string, expected: string): StorageStartupError {
  const message = `catalog file '${path}' belongs to another cluster (${got}, this one is ${expected}); remove it or restore the catalog directory`;
  return new StorageStartupError('CATALOG_FOREIGN', message);
}
