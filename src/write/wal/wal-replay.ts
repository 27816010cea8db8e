import type { WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { errorText, StorageStartupError } from '../../storage/index.ts';
import { LogChain, type LostFile } from './log-chain.ts';
import type { WalPeriod } from './period.ts';
import { decodeFileHeader, decodeRecords, LATER_VERSION, type PreviousFile, SHORT_HEADER, type WalFileContent } from './record.ts';
import type { WalArchive } from './wal-archive.ts';
import { PREPARED_BYTES_MAX } from './wal-files.ts';

/** Files that are read while earlier ones are applied. */
const READ_AHEAD_FILES = 3;

/** `body` starts at a multiple of 8 bytes and stays valid. A rejection stops the start. */
export type WalRecordHandler = (fileNumber: WalFileNumber, body: Uint8Array, minTimeNs: bigint, maxTimeNs: bigint) => void | Promise<void>;

export interface ReplayOptions {
  /** Files up to this number are covered by a snapshot and are not read. */
  readonly afterFileNumber: number;
  readonly onRecord: WalRecordHandler;
  /** Damage anywhere but at the end of the newest file stops the start, and so does a file that is missing. */
  readonly failOnError?: boolean;
  /** Files that are known to have had records. */
  readonly expectedNumbers?: readonly number[];
  readonly readAheadFiles?: number;
}

/** What replay found. */
export interface ReplayReport {
  /** One per file with records, by number: seeds the snapshot planner. */
  readonly periods: readonly WalPeriod[];
  readonly recordCount: number;
  /** Files whose end was damaged: their records before it were used, the rest was kept in a `.corrupt` file. */
  readonly tornFiles: number;
  /** Files without any usable record, now `.corrupt`. */
  readonly movedAside: readonly string[];
  /** Files that are missing or have lost records, however that came: acknowledged rows are gone. */
  readonly lost: readonly { readonly path: string; readonly reason: string }[];
  /** The last file with records. */
  readonly previous: PreviousFile;
  /** Highest file number that must not be used again. */
  readonly highestNumber: number;
}

/** Of a log that keeps nothing. */
export const EMPTY_REPORT: Omit<ReplayReport, 'highestNumber'> = {
  periods: [],
  recordCount: 0,
  tornFiles: 0,
  movedAside: [],
  lost: [],
  previous: { fileNumber: 0, recordCount: 0 },
};

interface Source {
  readonly archive: WalArchive;
  readonly uuid: string;
  readonly log: Log;
}

/** Hands every record above the covered files to `onRecord`, in writing order, and repairs what is damaged. */
export async function replayWal(source: Source, options: ReplayOptions): Promise<ReplayReport> {
  const listed = await source.archive.list();
  const numbers = listed.numbers.filter((number) => number > options.afterFileNumber);
  const newest = options.failOnError === true ? await newestUsed(source, numbers) : undefined;
  const readAhead = options.readAheadFiles ?? READ_AHEAD_FILES;
  const reading: Promise<Uint8Array>[] = [];
  const replay = new LogReplay(source, options, new LogChain(options.afterFileNumber, listed.corrupt));
  for (const [i, number] of numbers.entries()) {
    for (let next = i + reading.length; reading.length <= readAhead && next < numbers.length; next++) {
      reading.push(startReading(source, numbers[next] ?? 0));
    }
    const bytes = await reading.shift();
    if (bytes === undefined) break;
    await replay.file(number, bytes, newest === undefined || number >= newest);
  }
  await replay.end();
  return { ...replay.report, highestNumber: Math.max(listed.highest, options.afterFileNumber) };
}

/** One replay on its way through the files. */
class LogReplay {
  readonly #source: Source;
  readonly #options: ReplayOptions;
  readonly #chain: LogChain;
  readonly #periods: WalPeriod[] = [];
  readonly #movedAside: string[] = [];
  readonly #lost: LostFile[] = [];
  /** What damage was found, by file. */
  readonly #damage = new Map<number, string>();
  /** The newest file without records, as far as a start may need what it says of the one before. */
  #mark: number | undefined;
  #recordCount = 0;
  #tornFiles = 0;

  constructor(source: Source, options: ReplayOptions, chain: LogChain) {
    this.#source = source;
    this.#options = options;
    this.#chain = chain;
  }

  get report(): Omit<ReplayReport, 'highestNumber'> {
    return {
      periods: this.#periods,
      recordCount: this.#recordCount,
      tornFiles: this.#tornFiles,
      movedAside: this.#movedAside,
      lost: this.#lost.map(({ fileNumber, reason }) => ({ path: this.#source.archive.locate(fileNumber), reason })),
      previous: this.#chain.last ?? { fileNumber: this.#options.afterFileNumber, recordCount: 0 },
    };
  }

  /** @param isNewest no file with records follows, so damage at its end is what a crash does */
  async file(number: number, bytes: Uint8Array, isNewest: boolean): Promise<void> {
    const { failOnError, onRecord } = this.#options;
    const content = decodeFile(bytes, number, this.#source.uuid);
    const damage = typeof content === 'string' ? content : content.damage;
    if (damage === LATER_VERSION) refuseLaterVersion(this.#source, number);
    if (damage !== undefined && failOnError === true) refuse(this.#source, number, damage, isNewest);
    if (damage !== undefined) this.#damage.set(number, damage);
    if (typeof content === 'string') {
      this.#movedAside.push(await setAside(this.#source, number, content));
      return;
    }
    const { previous, records } = content;
    this.#noteLost(this.#chain.add(number, records.length, previous));
    if (records.length === 0 && damage === undefined) return this.#withoutRecords(number, previous);
    if (records.length === 0) {
      this.#movedAside.push(await setAside(this.#source, number, damage ?? 'file has no records'));
      return;
    }
    // Files of earlier versions do not tell whether what was damaged before them had been acknowledged.
    if (previous === undefined)
      for (const [fileNumber, reason] of this.#damage) if (fileNumber < number) this.#noteLost({ fileNumber, reason });
    if (damage !== undefined) {
      this.#tornFiles++;
      await cutOff(this.#source, number, bytes, content.validBytes, damage);
    }
    for (const record of content.records) await onRecord(number, record.body, record.minTimeNs, record.maxTimeNs);
    this.#recordCount += content.records.length;
    this.#periods.push(periodOf(number, content));
  }

  /** After the last file. */
  async end(): Promise<void> {
    for (const number of this.#options.expectedNumbers ?? []) this.#noteLost(this.#chain.expect(number));
    for (const { fileNumber, reason } of this.#lost) {
      const path = this.#source.archive.locate(fileNumber);
      this.#source.log.error('a part of the write-ahead log is lost, and acknowledged rows with it', { path, reason });
    }
  }

  #noteLost(lost: LostFile | undefined): void {
    if (lost === undefined || this.#lost.some(({ fileNumber }) => fileNumber === lost.fileNumber)) return;
    const reason = this.#damage.get(lost.fileNumber) ?? lost.reason;
    if (this.#options.failOnError === true) refuse(this.#source, lost.fileNumber, reason, false);
    this.#lost.push({ ...lost, reason });
  }

  /** A file that was made ready, or left by a stop. The newest one is kept as long as it tells of a file that is needed. */
  async #withoutRecords(number: number, previous: PreviousFile | undefined): Promise<void> {
    const replaced = this.#mark;
    const tells = previous !== undefined && previous.fileNumber > this.#options.afterFileNumber;
    this.#mark = tells ? number : replaced;
    if (tells && replaced !== undefined) await removeUnused(this.#source, replaced);
    if (!tells) await removeUnused(this.#source, number);
  }
}

/** A rejection ends the reading. */
export type ClosedRecordHandler = (fileNumber: WalFileNumber, body: Uint8Array) => void | Promise<void>;

/** Reads files again that this process has closed or replayed. Rejects when one of them is not whole. */
export async function readClosedFiles(
  source: Source,
  { after, upTo }: { readonly after: number; readonly upTo: number },
  onRecord: ClosedRecordHandler,
): Promise<void> {
  for (const number of source.archive.numbers()) {
    if (number <= after || number > upTo) continue;
    const bytes = await source.archive.read(number);
    const content = decodeFile(bytes, number, source.uuid);
    const damage = typeof content === 'string' ? content : content.damage;
    if (typeof content === 'string' || damage !== undefined) {
      throw new Error(`WAL file '${source.archive.locate(number)}' is damaged: ${damage}`);
    }
    for (const record of content.records) await onRecord(number, record.body);
  }
}

function startReading(source: Source, number: number): Promise<Uint8Array> {
  const reading = source.archive.read(number);
  reading.catch(() => undefined); // awaited, and so reported, when its turn comes
  return reading;
}

type FileContent = WalFileContent & { readonly previous: PreviousFile | undefined };

function decodeFile(bytes: Uint8Array, number: number, uuid: string): FileContent | string {
  const header = decodeFileHeader(bytes, number, uuid);
  return typeof header === 'string' ? header : { ...decodeRecords(bytes, header.recordsAt), previous: header.previous };
}

/** The last file that a record was written to: one that a crash cut off, or that was only made ready, may follow. */
async function newestUsed(source: Source, numbers: readonly number[]): Promise<number | undefined> {
  for (const number of numbers.toReversed()) {
    if (source.archive.sizeOf(number) > PREPARED_BYTES_MAX) return number;
    const content = decodeFile(await source.archive.read(number), number, source.uuid);
    const unused = typeof content === 'string' ? isCutShort(content) : content.records.length === 0 && content.damage === undefined;
    if (!unused) return number;
  }
  return undefined;
}

/** What a crash leaves of a file whose first record was not written yet. */
function isCutShort(damage: string): boolean {
  return damage === 'file is empty' || damage === SHORT_HEADER;
}

/** Only what a crash does to the newest file is no error: nothing there was acknowledged. */
function refuse(source: Source, number: number, damage: string, isNewest: boolean): void {
  const crashed = isCutShort(damage) || damage === 'record is cut off';
  if (isNewest && (crashed || damage === 'checksum mismatch')) return;
  throw new StorageStartupError(
    'WAL_CORRUPT',
    `WAL file '${source.archive.locate(number)}' is damaged: ${damage}; ` +
      'start without --wal-replay-fail-on-error to keep what can be read and move the rest aside',
  );
}

function refuseLaterVersion(source: Source, number: number): never {
  throw new StorageStartupError(
    'WAL_LATER_VERSION',
    `WAL file '${source.archive.locate(number)}' was written by a later version of influxdb3: start that version, ` +
      'restore a backup of before, or move the file away to go on without its rows',
  );
}

/** A file that was made ready, and then the process ended before it was used. */
async function removeUnused({ archive, log }: Source, number: number): Promise<void> {
  try {
    await archive.removeUnused(number);
  } catch (error) {
    const path = archive.locate(number);
    log.warn('unused WAL file could not be removed, will be tried again at the next start', { path, error: errorText(error) });
  }
}

async function setAside({ archive, log }: Source, number: number, reason: string): Promise<string> {
  const path = await archive.setAside(number);
  archive.forget(number);
  log.warn('unusable WAL file moved aside', { path, reason });
  return path;
}

/** Ends the file after its last good record, so that the next start finds it whole. The cut-off bytes are kept. */
async function cutOff({ archive, log }: Source, number: number, bytes: Uint8Array, validBytes: number, reason: string): Promise<void> {
  const path = archive.locate(number);
  log.warn('damaged end of a WAL file dropped', { path, reason, droppedBytes: bytes.byteLength - validBytes });
  try {
    await archive.cutOff(number, bytes, validBytes);
  } catch (error) {
    log.warn('damaged WAL file could not be repaired, it is read again at the next start', { path, error: errorText(error) });
  }
}

function periodOf(fileNumber: WalFileNumber, content: WalFileContent): WalPeriod {
  let minTimeNs: bigint | undefined;
  let maxTimeNs: bigint | undefined;
  for (const record of content.records) {
    if (minTimeNs === undefined || record.minTimeNs < minTimeNs) minTimeNs = record.minTimeNs;
    if (maxTimeNs === undefined || record.maxTimeNs > maxTimeNs) maxTimeNs = record.maxTimeNs;
  }
  return { fileNumber, minTimeNs: minTimeNs ?? 0n, maxTimeNs: maxTimeNs ?? 0n, bytes: content.validBytes };
}
