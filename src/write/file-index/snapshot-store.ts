import { basename, join } from 'node:path';
import type { Log } from '../../shared/logger.ts';
import { atomicWrite, errorText, type FileSystem, moveAside, removeTemporaryFiles } from '../../storage/index.ts';
import type { SnapshotInfo } from './snapshot-info.ts';
import { decodeSnapshotInfo, encodeSnapshotInfo } from './snapshot-info-codec.ts';

/** File names count down from here, so that the newest sorts first. */
const SEQUENCE_MAX = 2n ** 64n - 1n;

const FILE_NAME = /^(\d{20})\.info\.json$/;

/** Of an info's name, before `.corrupt`. */
const FILE_NAME_LENGTH = 20 + '.info.json'.length;

const CORRUPT_NAME = /^(\d{20})\.info\.json\.corrupt/;

/** Infos read at the same time. */
const READ_CONCURRENCY = 8;

/** What was on disk. */
export interface LoadedSnapshots {
  /** Newest first. */
  readonly infos: readonly SnapshotInfo[];
  /** Files that were no snapshot infos and are now `.corrupt`, or stay where they are. */
  readonly movedAside: readonly string[];
  /** Of all infos that are there and could be read, also of those that were not. */
  readonly sequences: ReadonlySet<number>;
  /** Sequences of infos that are `.corrupt`, now or since an earlier start. */
  readonly corrupt: ReadonlySet<number>;
}

/** Snapshot infos below `<root>/snapshots`. */
export class SnapshotStore {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #root: string;
  readonly #log: Log;

  constructor(fs: FileSystem, root: string, log: Log) {
    this.#fs = fs;
    this.#root = root;
    this.#directory = join(root, 'snapshots');
    this.#log = log;
  }

  /** Reads the infos with this sequence and above, newest first. Damaged ones are moved aside, unless `keepDamaged`. */
  async load(fromSequence = 0, keepDamaged = false): Promise<LoadedSnapshots> {
    await this.#fs.mkdir(this.#directory);
    await this.#fs.syncDirectory(this.#root);
    await removeTemporaryFiles(this.#fs, this.#directory);
    const listed = await this.#fs.readdir(this.#directory);
    const names = listed.filter((name) => (sequenceOf(name) ?? -1) >= fromSequence);
    const infos: SnapshotInfo[] = [];
    const movedAside: string[] = [];
    for (let start = 0; start < names.length; start += READ_CONCURRENCY) {
      const batch = names.slice(start, start + READ_CONCURRENCY);
      for (const loaded of await Promise.all(batch.map((name) => this.#read(name, keepDamaged)))) {
        if (typeof loaded === 'string') movedAside.push(loaded);
        else infos.push(loaded);
      }
    }
    const corrupt = new Set<number>();
    const sequences = new Set<number>();
    for (const name of listed) {
      const digits = CORRUPT_NAME.exec(name)?.[1];
      if (digits !== undefined) corrupt.add(Number(SEQUENCE_MAX - BigInt(digits)));
      const sequence = sequenceOf(name);
      if (sequence !== undefined) sequences.add(sequence);
    }
    for (const path of movedAside) {
      const sequence = sequenceOf(basename(path).slice(0, FILE_NAME_LENGTH)) as number;
      sequences.delete(sequence);
      corrupt.add(sequence);
    }
    return { infos, movedAside, sequences, corrupt };
  }

  /** The newest info that can be read; changes nothing on disk. */
  async newestReadable(): Promise<SnapshotInfo | undefined> {
    for (const name of await this.#fs.readdir(this.#directory)) {
      if (sequenceOf(name) === undefined) continue;
      try {
        return decodeSnapshotInfo(await this.#fs.readFile(join(this.#directory, name)));
      } catch {
        // the start that follows moves it aside and says so
      }
    }
    return undefined;
  }

  /** Durable when it resolves. Saving the same snapshot again replaces it. */
  async save(info: SnapshotInfo): Promise<void> {
    await atomicWrite(this.#fs, join(this.#directory, snapshotFileName(info.sequence)), encodeSnapshotInfo(info));
  }

  async #read(name: string, keepDamaged: boolean): Promise<SnapshotInfo | string> {
    const path = join(this.#directory, name);
    const bytes = await this.#fs.readFile(path);
    try {
      const info = decodeSnapshotInfo(bytes);
      if (info.sequence !== sequenceOf(name)) throw new Error('file has the name of another sequence');
      return info;
    } catch (error) {
      if (keepDamaged) return path;
      const movedTo = await moveAside(this.#fs, path);
      this.#log.error('unreadable snapshot info moved aside', { path: movedTo, reason: errorText(error) });
      return movedTo;
    }
  }
}

/** `<%020d>.info.json` with the inverted sequence. */
export function snapshotFileName(sequence: number): string {
  return `${(SEQUENCE_MAX - BigInt(sequence)).toString().padStart(20, '0')}.info.json`;
}

function sequenceOf(name: string): number | undefined {
  const digits = FILE_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(SEQUENCE_MAX - BigInt(digits));
}
