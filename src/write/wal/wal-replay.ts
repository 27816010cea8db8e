import { errorText, type FileSystem, keepAside, type Log, moveAside, StorageStartupError, unlinkIfPresent } from '../../storage/index.ts';
import type { WalPeriod } from './period.ts';
import { decodeRecords, fileHeaderProblem, type WalFileContent } from './record.ts';
import type { WalDirectory } from './wal-directory.ts';
import { PREPARED_BYTES_MAX } from './wal-files.ts';

/** Files that are read while earlier ones are applied. */
const READ_AHEAD_FILES = 3;

/** `body` starts at a multiple of 8 bytes and stays valid. A rejection stops the start. */
export type WalRecordHandler = (fileNumber: number, body: Uint8Array, minTimeNs: bigint, maxTimeNs: bigint) => void | Promise<void>;

export interface ReplayOptions {
  /** Files up to this number are covered by a snapshot and are not read. */
  readonly afterFileNumber: number;
  readonly onRecord: WalRecordHandler;
  /** Damage anywhere but at the end of the newest file stops the start. */
  readonly failOnError?: boolean;
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
  /** Highest file number that must not be used again. */
  readonly highestNumber: number;
}

interface Source {
  readonly fs: FileSystem;
  readonly directory: WalDirectory;
  readonly uuid: string;
  readonly log: Log;
}

/** Hands every record above the covered files to `onRecord`, in writing order, and repairs what is damaged. */
export async function replayWal(source: Source, options: ReplayOptions): Promise<ReplayReport> {
  const listed = await source.directory.list();
  const numbers = listed.numbers.filter((number) => number > options.afterFileNumber);
  const newest = options.failOnError === true ? await newestUsed(source, numbers) : undefined;
  const readAhead = options.readAheadFiles ?? READ_AHEAD_FILES;
  const reading: Promise<Uint8Array>[] = [];
  const periods: WalPeriod[] = [];
  const movedAside: string[] = [];
  let recordCount = 0;
  let tornFiles = 0;
  for (const [i, number] of numbers.entries()) {
    for (let next = i + reading.length; reading.length <= readAhead && next < numbers.length; next++) {
      reading.push(startReading(source, numbers[next] ?? 0));
    }
    const bytes = await reading.shift();
    if (bytes === undefined) break;
    const content = decodeFile(bytes, number, source.uuid);
    const damage = typeof content === 'string' ? content : content.damage;
    if (damage !== undefined && options.failOnError === true) refuse(source, number, damage, newest === undefined || number >= newest);
    if (typeof content !== 'string' && content.records.length === 0 && content.damage === undefined) {
      await removeUnused(source, number);
      continue;
    }
    if (typeof content === 'string' || content.records.length === 0) {
      movedAside.push(await setAside(source, number, damage ?? 'file has no records'));
      continue;
    }
    if (content.damage !== undefined) {
      tornFiles++;
      await cutOff(source, number, bytes, content.validBytes, content.damage);
    }
    for (const record of content.records) await options.onRecord(number, record.body, record.minTimeNs, record.maxTimeNs);
    recordCount += content.records.length;
    periods.push(periodOf(number, content));
  }
  return { periods, recordCount, tornFiles, movedAside, highestNumber: Math.max(listed.highest, options.afterFileNumber) };
}

/** A rejection ends the reading. */
export type ClosedRecordHandler = (fileNumber: number, body: Uint8Array) => void | Promise<void>;

/** Reads files again that this process has closed or replayed. Rejects when one of them is not whole. */
export async function readClosedFiles(
  source: Source,
  { after, upTo }: { readonly after: number; readonly upTo: number },
  onRecord: ClosedRecordHandler,
): Promise<void> {
  for (const number of source.directory.numbers()) {
    if (number <= after || number > upTo) continue;
    const bytes = await source.fs.readFile(source.directory.filePath(number));
    const content = decodeFile(bytes, number, source.uuid);
    const damage = typeof content === 'string' ? content : content.damage;
    if (typeof content === 'string' || damage !== undefined) {
      throw new Error(`WAL file '${source.directory.filePath(number)}' is damaged: ${damage}`);
    }
    for (const record of content.records) await onRecord(number, record.body);
  }
}

function startReading(source: Source, number: number): Promise<Uint8Array> {
  const reading = source.fs.readFile(source.directory.filePath(number));
  reading.catch(() => undefined); // awaited, and so reported, when its turn comes
  return reading;
}

function decodeFile(bytes: Uint8Array, number: number, uuid: string): WalFileContent | string {
  return fileHeaderProblem(bytes, number, uuid) ?? decodeRecords(bytes);
}

/** The last file that a record was written to: one that a crash cut off, or that was only made ready, may follow. */
async function newestUsed(source: Source, numbers: readonly number[]): Promise<number | undefined> {
  for (const number of numbers.toReversed()) {
    if (source.directory.sizeOf(number) > PREPARED_BYTES_MAX) return number;
    const content = decodeFile(await source.fs.readFile(source.directory.filePath(number)), number, source.uuid);
    const unused = typeof content === 'string' ? isCutShort(content) : content.records.length === 0 && content.damage === undefined;
    if (!unused) return number;
  }
  return undefined;
}

function isCutShort(damage: string): boolean {
  return damage === 'file is empty' || damage === 'file is shorter than its header';
}

/** Only what a crash does to the newest file is no error: nothing there was acknowledged. */
function refuse(source: Source, number: number, damage: string, isNewest: boolean): void {
  const crashed = isCutShort(damage) || damage === 'record is cut off';
  if (isNewest && (crashed || damage === 'checksum mismatch')) return;
  throw new StorageStartupError(
    'WAL_CORRUPT',
    `WAL file '${source.directory.filePath(number)}' is damaged: ${damage}; ` +
      'start without --wal-replay-fail-on-error to keep what can be read and move the rest aside',
  );
}

/** A file that was made ready, and then the process ended before it was used. */
async function removeUnused(source: Source, number: number): Promise<void> {
  const path = source.directory.filePath(number);
  try {
    await unlinkIfPresent(source.fs, path);
    source.directory.forget(number);
  } catch (error) {
    source.log.warn({ path, error: errorText(error) }, 'unused WAL file could not be removed, will be tried again at the next start');
  }
}

async function setAside(source: Source, number: number, reason: string): Promise<string> {
  const path = await moveAside(source.fs, source.directory.filePath(number));
  source.directory.forget(number);
  source.log.warn({ path, reason }, 'unusable WAL file moved aside');
  return path;
}

/** Ends the file after its last good record, so that the next start finds it whole. The cut-off bytes are kept. */
async function cutOff(source: Source, number: number, bytes: Uint8Array, validBytes: number, reason: string): Promise<void> {
  const path = source.directory.filePath(number);
  source.log.warn({ path, reason, droppedBytes: bytes.byteLength - validBytes }, 'damaged end of a WAL file dropped');
  try {
    await keepAside(source.fs, path, bytes.subarray(validBytes));
    const file = await source.fs.open(path, 'existing');
    try {
      await file.truncate(validBytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    source.log.warn({ path, error: errorText(error) }, 'damaged WAL file could not be repaired, it is read again at the next start');
  }
}

function periodOf(fileNumber: number, content: WalFileContent): WalPeriod {
  let minTimeNs: bigint | undefined;
  let maxTimeNs: bigint | undefined;
  for (const record of content.records) {
    if (minTimeNs === undefined || record.minTimeNs < minTimeNs) minTimeNs = record.minTimeNs;
    if (maxTimeNs === undefined || record.maxTimeNs > maxTimeNs) maxTimeNs = record.maxTimeNs;
  }
  return { fileNumber, minTimeNs: minTimeNs ?? 0n, maxTimeNs: maxTimeNs ?? 0n, bytes: content.validBytes };
}
