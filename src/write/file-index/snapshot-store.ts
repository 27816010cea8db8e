import type { Log } from '../../shared/logger.ts';
import {
  createKnown,
  errorText,
  invertedSequence,
  type ObjectStore,
  StorageStartupError,
  sameBytes,
  sequenceOfInverted,
  setAside,
} from '../../storage/index.ts';
import type { SnapshotInfo } from './snapshot-info.ts';
import { decodeSnapshotInfo, encodeSnapshotInfo, LaterInfoError } from './snapshot-info-codec.ts';

const FILE_NAME = /^(\d{20})\.info\.json$/;

const CORRUPT_NAME = /^(\d{20})\.info\.json\.corrupt/;

/** Infos read at the same time. */
const READ_CONCURRENCY = 8;

/** A file that was no snapshot info, and where it is now: it has the name `.corrupt`, or stays where it was. */
export interface Damaged {
  readonly sequence: number;
  readonly movedTo: string;
}

/** What was on disk. */
export interface LoadedSnapshots {
  /** Newest first. */
  readonly infos: readonly SnapshotInfo[];
  /** Files that were no snapshot infos. */
  readonly movedAside: readonly Damaged[];
  /** Of all infos that are there and could be read, also of those that were not. */
  readonly sequences: ReadonlySet<number>;
  /** Sequences of infos that are `.corrupt`, now or since an earlier start. */
  readonly corrupt: ReadonlySet<number>;
}

const FOLDER = 'snapshots/';

/** Snapshot infos: one object each, below `snapshots/`. */
export class SnapshotStore {
  readonly #objects: ObjectStore;
  readonly #log: Log;

  constructor(objects: ObjectStore, log: Log) {
    this.#objects = objects;
    this.#log = log;
  }

  /**
   * Reads the infos with this sequence and above, newest first. Damaged ones are moved aside, unless `keepDamaged`; one of a later
   * version is a `StorageStartupError` SNAPSHOT_LATER_VERSION.
   * @param lookFurther whether infos before it are listed too, without being read
   */
  async load(fromSequence = 0, keepDamaged = false, lookFurther = true): Promise<LoadedSnapshots> {
    await this.#objects.prepare(FOLDER);
    const listed: string[] = [];
    for await (const key of this.#objects.list(FOLDER)) {
      const name = key.slice(FOLDER.length);
      if (!lookFurther && (sequenceOf(name) ?? fromSequence) < fromSequence) break;
      listed.push(name);
    }
    const names = listed.filter((name) => (sequenceOf(name) ?? -1) >= fromSequence);
    const infos: SnapshotInfo[] = [];
    const movedAside: Damaged[] = [];
    for (let start = 0; start < names.length; start += READ_CONCURRENCY) {
      const batch = names.slice(start, start + READ_CONCURRENCY);
      for (const loaded of await Promise.all(batch.map((name) => this.#read(name, keepDamaged)))) {
        if ('movedTo' in loaded) movedAside.push(loaded);
        else infos.push(loaded);
      }
    }
    const corrupt = new Set<number>();
    const sequences = new Set<number>();
    for (const name of listed) {
      const digits = CORRUPT_NAME.exec(name)?.[1];
      if (digits !== undefined) corrupt.add(sequenceOfInverted(digits));
      const sequence = sequenceOf(name);
      if (sequence !== undefined) sequences.add(sequence);
    }
    for (const { sequence } of movedAside) {
      sequences.delete(sequence);
      corrupt.add(sequence);
    }
    return { infos, movedAside, sequences, corrupt };
  }

  /** The newest info that can be read; changes nothing on disk. */
  async newestReadable(): Promise<SnapshotInfo | undefined> {
    for await (const key of this.#objects.list(FOLDER)) {
      if (sequenceOf(key.slice(FOLDER.length)) === undefined) continue;
      try {
        return decodeSnapshotInfo(await this.#objects.get(key));
      } catch {
        // the start that follows moves it aside and says so
      }
    }
    return undefined;
  }

  /**
   * Durable when it resolves with `created`. `taken` = another info has the sequence. May be called again with the same info
   * after a failure.
   */
  async save(info: SnapshotInfo): Promise<'created' | 'taken'> {
    const key = snapshotKey(info.sequence);
    const bytes = encodeSnapshotInfo(info);
    return createKnown(this.#objects, key, bytes, {
      isOurs: sameBytes(key, bytes),
      pause: async (_, error) => {
        throw error;
      },
    });
  }

  /** Keys of the infos with sequences above `after` and up to `upTo`. */
  async *keys(after: number, upTo: number): AsyncGenerator<string> {
    for await (const key of this.#objects.list(FOLDER, snapshotKey(upTo + 1))) {
      const sequence = sequenceOf(key.slice(FOLDER.length));
      if (sequence === undefined) continue;
      if (sequence <= after) return;
      yield key;
    }
  }

  /** How people find an info. */
  locate(sequence: number): string {
    return this.#objects.locate(snapshotKey(sequence));
  }

  async #read(name: string, keepDamaged: boolean): Promise<SnapshotInfo | Damaged> {
    const sequence = sequenceOf(name) as number;
    const key = FOLDER + name;
    const bytes = await this.#objects.get(key);
    try {
      const info = decodeSnapshotInfo(bytes);
      if (info.sequence !== sequence) throw new Error('file has the name of another sequence');
      return info;
    } catch (error) {
      if (error instanceof LaterInfoError) throw writtenLater(this.#objects.locate(key));
      if (keepDamaged) return { sequence, movedTo: this.#objects.locate(key) };
      const movedTo = await setAside(this.#objects, key);
      this.#log.error('unreadable snapshot info moved aside', { path: movedTo, reason: errorText(error) });
      return { sequence, movedTo };
    }
  }
}

function writtenLater(path: string): StorageStartupError {
  const what = `snapshot info '${path}' was written by a later version of influxdb3`;
  return new StorageStartupError('SNAPSHOT_LATER_VERSION', `${what}: start that version, or restore a backup of before`);
}

/** `snapshots/<%020d>.info.json` with the inverted sequence. */
export function snapshotKey(sequence: number): string {
  return `${FOLDER}${invertedSequence(sequence)}.info.json`;
}

function sequenceOf(name: string): number | undefined {
  const digits = FILE_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : sequenceOfInverted(digits);
}

/** Whether bytes are an info that changes nothing, as those are by which a process claims the infos; or none that can be read. */
export function mayBeClaim(bytes: Uint8Array): boolean {
  try {
    const { deletes = [], endTimeMarkerNs, files, removedFiles } = decodeSnapshotInfo(bytes);
    return files.length + removedFiles.length + deletes.length === 0 && endTimeMarkerNs === undefined;
  } catch {
    return true;
  }
}
