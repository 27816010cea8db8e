import type { WalFileNumber } from '../../shared/ids.ts';
import type { PreviousFile } from './record.ts';

/** A file of the log that is not there, or has lost records: acknowledged rows are gone. */
export interface LostFile {
  readonly fileNumber: WalFileNumber;
  readonly reason: string;
}

/**
 * Finds files that are missing in the middle of the log: each file says which one was written to before it, and how many
 * records that had at least. Numbers alone do not tell: those of failed files and of files that no record came to are left
 * out. Files of earlier versions say nothing.
 */
export class LogChain {
  /** Records of each file, ascending. */
  readonly #counts = new Map<number, number>();
  readonly #afterFileNumber: number;
  readonly #known: ReadonlySet<number>;

  /**
   * @param afterFileNumber files up to this one are not needed any more
   * @param known numbers of files with damage that was found before, and was accepted
   */
  constructor(afterFileNumber: number, known: ReadonlySet<number>) {
    this.#afterFileNumber = afterFileNumber;
    this.#known = known;
  }

  /** Adds the next file that is there. Returns what its header shows to be lost. */
  add(fileNumber: WalFileNumber, recordCount: number, previous: PreviousFile | undefined): LostFile | undefined {
    if (recordCount > 0) this.#counts.set(fileNumber, recordCount);
    return previous === undefined ? undefined : this.#lost(previous, `file ${fileNumber}`);
  }

  /** The same for a file that something else than the log knows to have had records. */
  expect(fileNumber: WalFileNumber): LostFile | undefined {
    return this.#lost({ fileNumber, recordCount: 1 }, 'the newest snapshot');
  }

  /** The last file with records; undefined = there is none. */
  get last(): PreviousFile | undefined {
    let last: PreviousFile | undefined;
    for (const [fileNumber, recordCount] of this.#counts) last = { fileNumber, recordCount };
    return last;
  }

  #lost({ fileNumber, recordCount }: PreviousFile, witness: string): LostFile | undefined {
    if (fileNumber <= this.#afterFileNumber || this.#known.has(fileNumber)) return undefined;
    const found = this.#counts.get(fileNumber);
    if (found !== undefined && found >= recordCount) return undefined;
    const reason = found === undefined ? `file is missing, ${witness} knows it` : `file has ${found} of at least ${recordCount} records`;
    return { fileNumber, reason };
  }
}
