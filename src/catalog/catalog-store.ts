import { dirname, join } from 'node:path';
import type { Log } from '../shared/logger.ts';
import {
  atomicWrite,
  CORRUPT_SUFFIX,
  createExclusive,
  errorText,
  type FileSystem,
  moveAside,
  removeTemporaryFiles,
  StorageStartupError,
  systemErrorCode,
  unlinkIfPresent,
} from '../storage/index.ts';
import { type CatalogFile, decodeCatalogFile, encodeCatalogFile } from './codec.ts';
import type { CatalogOp } from './ops.ts';
import { CatalogState } from './state.ts';
import { loadState } from './state-codec.ts';

const LOG_NAME = /^(\d{20})\.catalog$/;
const CORRUPT_LOG_NAME = /^(\d{20})\.catalog\.corrupt/;

/** Logs at or below the snapshot that are kept, for people who look into what happened. */
const COVERED_LOGS_KEPT = 100;

/** What a log file's payload holds. */
export interface LogPayload {
  readonly timeNs: string;
  readonly ops: readonly CatalogOp[];
}

/** What was on disk. `uuid` undefined = nothing, a first start. */
export interface LoadedCatalog {
  readonly uuid: string | undefined;
  readonly state: CatalogState;
  /** Of the last change that counts, or the number of a file moved aside: the next change gets one more. */
  readonly sequence: number;
  /** Sequence of the snapshot, 0 without one. */
  readonly snapshotSequence: number;
  readonly movedAside: readonly string[];
}

/** Catalog files below `<root>/catalog/v3`. */
export class CatalogStore {
  readonly #fs: FileSystem;
  readonly #log: Log;
  readonly #snapshotPath: string;
  readonly #logsDirectory: string;
  /** A log whose fate is unknown since its creation failed; no other change may become durable before it is gone. */
  #uncertainPath: string | undefined;

  constructor(fs: FileSystem, root: string, log: Log) {
    this.#fs = fs;
    this.#log = log;
    this.#snapshotPath = join(root, 'catalog', 'v3', 'snapshot');
    this.#logsDirectory = join(root, 'catalog', 'v3', 'logs');
  }

  /**
   * Throws `StorageStartupError` when what is there cannot be trusted.
   * @param knownSequence a change that must be there
   */
  async load(knownSequence: number): Promise<LoadedCatalog> {
    await this.#fs.mkdir(this.#logsDirectory);
    for (let dir = this.#logsDirectory, i = 0; i < 4; i++, dir = dirname(dir)) await this.#fs.syncDirectory(dir);
    await removeTemporaryFiles(this.#fs, dirname(this.#snapshotPath));
    await removeTemporaryFiles(this.#fs, this.#logsDirectory);
    const names = await this.#fs.readdir(this.#logsDirectory);
    const sequences = numbersOf(names, LOG_NAME);
    const skipped = new Set(numbersOf(names, CORRUPT_LOG_NAME));
    const snapshot = await this.#readSnapshot(Math.min(...sequences, ...skipped) === 1);
    const state = snapshot === undefined ? new CatalogState() : this.#loadSnapshotState(snapshot);
    const snapshotSequence = snapshot?.sequence ?? 0;
    const movedAside: string[] = [];
    let uuid = snapshot?.uuid;
    let sequence = snapshotSequence;
    const last = sequences.at(-1);
    for (const number of sequences) {
      if (number <= snapshotSequence) continue;
      for (let missing = sequence + 1; missing < number; missing++) {
        if (!skipped.has(missing)) throw corrupt(this.#logPath(missing), 'file is missing');
      }
      sequence = number;
      const path = this.#logPath(number);
      const file = decodeCatalogFile(await this.#fs.readFile(path), 'log');
      if (typeof file === 'string' || file.sequence !== number) {
        const reason = typeof file === 'string' ? file : 'file has the name of another sequence';
        if (number !== last || !isCutOff(reason)) throw corrupt(path, reason);
        movedAside.push(await moveAside(this.#fs, path));
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
      throw corrupt(this.#logPath(sequence + 1), `file is missing, snapshot infos know changes up to ${knownSequence}`);
    return { uuid, state, sequence, snapshotSequence, movedAside };
  }

  /** Makes one change durable. When it throws, the change did not happen; only a crash right after may bring it back. */
  async append(uuid: string, sequence: number, payload: LogPayload): Promise<void> {
    await this.#clearUncertain();
    const path = this.#logPath(sequence);
    const bytes = encodeCatalogFile({ kind: 'log', uuid, sequence, payload: Buffer.from(JSON.stringify(payload)) });
    try {
      await createExclusive(this.#fs, path, bytes);
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') throw error; // not ours: never remove it
      this.#uncertainPath = path;
      await this.#clearUncertain().catch(() => undefined); // tried again before the next change
      throw error;
    }
  }

  /** Replaces the snapshot, then deletes logs that it covers. */
  async writeSnapshot(uuid: string, sequence: number, payload: Uint8Array): Promise<void> {
    await atomicWrite(this.#fs, this.#snapshotPath, encodeCatalogFile({ kind: 'snapshot', uuid, sequence, payload }));
    const covered = numbersOf(await this.#fs.readdir(this.#logsDirectory), LOG_NAME).filter((number) => number <= sequence);
    for (const number of covered.slice(0, Math.max(0, covered.length - COVERED_LOGS_KEPT))) {
      await unlinkIfPresent(this.#fs, this.#logPath(number));
    }
  }

  async #readSnapshot(logsAreComplete: boolean): Promise<CatalogFile | undefined> {
    const names = await this.#fs.readdir(dirname(this.#snapshotPath));
    if (!names.includes('snapshot')) return undefined;
    const file = decodeCatalogFile(await this.#fs.readFile(this.#snapshotPath), 'snapshot');
    if (typeof file !== 'string') return file;
    if (!logsAreComplete) throw corrupt(this.#snapshotPath, file);
    const movedTo = await moveAside(this.#fs, this.#snapshotPath);
    this.#log.warn('catalog snapshot moved aside, the catalog is read from its logs', { path: movedTo, reason: file });
    return undefined;
  }

  #loadSnapshotState(snapshot: CatalogFile): CatalogState {
    try {
      return loadState(snapshot.payload);
    } catch (error) {
      throw corrupt(this.#snapshotPath, errorText(error), error);
    }
  }

  async #clearUncertain(): Promise<void> {
    if (this.#uncertainPath === undefined) return;
    await unlinkIfPresent(this.#fs, this.#uncertainPath);
    await this.#fs.syncDirectory(this.#logsDirectory);
    this.#uncertainPath = undefined;
  }

  #logPath(sequence: number): string {
    return join(this.#logsDirectory, `${String(sequence).padStart(20, '0')}.catalog`);
  }
}

function applyLog(state: CatalogState, path: string, file: CatalogFile): void {
  try {
    const payload = JSON.parse(Buffer.from(file.payload).toString('utf8')) as LogPayload;
    for (const op of payload.ops) state.apply(op);
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
