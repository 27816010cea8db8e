import { join } from 'node:path';
import { assert } from '../../shared/assert.ts';
import { type FileSystem, type OpenFile, TEMPORARY_SUFFIX, unlinkIfPresent } from '../../storage/index.ts';
import { decodeRecords, encodeSideHeader, recordBytes, SIDE_HEADER_BYTES, sideHeaderProblem } from './record.ts';
import { RecordGroupEncoder } from './record-group.ts';

/** Bytes after which the next file is begun: a start reads one file at a time. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** Bytes that are written together. */
const GROUP_BYTES_MAX = 1024 * 1024;

/** Number of the WAL file that a record comes from, before its body. */
const SOURCE_BYTES = 8;

/** In the place of that number in the last record of a file, which has no body: a file that was cut off lacks it. */
const END_MARK = 0;

export interface SideLogOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  /** Catalog UUID. */
  readonly uuid: string;
}

/** What is in a side-log file up to the first damage. */
export interface SideLogContent {
  readonly records: readonly { readonly sourceNumber: number; readonly body: Uint8Array }[];
  /** Undefined = the file is whole. */
  readonly damage: string | undefined;
}

/**
 * Writes records of the WAL to files of their own, which take the place of the WAL for them. A file has its name only when
 * it is complete and durable.
 */
export class SideLogWriter {
  readonly #options: SideLogOptions;
  readonly #baseName: string;
  readonly #names: string[] = [];
  readonly #encoder = new RecordGroupEncoder();
  #file: OpenFile | undefined;
  #length = 0;
  #index = 0;
  #group: { body: Uint8Array; index: number; minTimeNs: bigint; maxTimeNs: bigint }[] = [];
  #groupBytes = 0;

  /** @param baseName names are `<baseName>-<part>.rows` */
  constructor(options: SideLogOptions, baseName: string) {
    this.#options = options;
    this.#baseName = baseName;
  }

  /** @param sourceNumber of the WAL file, from 1 */
  async add(sourceNumber: number, body: Uint8Array): Promise<void> {
    this.#queue(sourceNumber, body);
    if (this.#groupBytes >= GROUP_BYTES_MAX) await this.#flush();
    if (this.#length >= FILE_BYTES_MAX) await this.#complete();
  }

  /** Completes the last file. Returns the names of all of them, in order; none when there was no record. */
  async finish(): Promise<readonly string[]> {
    await this.#complete();
    return this.#names;
  }

  #queue(sourceNumber: number, body: Uint8Array): void {
    const copy = Buffer.alloc(SOURCE_BYTES + body.byteLength);
    copy.writeBigUInt64LE(BigInt(sourceNumber), 0);
    copy.set(body, SOURCE_BYTES);
    this.#group.push({ body: copy, index: this.#index++, minTimeNs: 0n, maxTimeNs: 0n });
    this.#groupBytes += recordBytes(copy.byteLength);
  }

  /** Removes what was written, as far as the disk lets it. */
  async abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    const { directory, fs } = this.#options;
    const unfinished = `${this.#name(this.#names.length)}${TEMPORARY_SUFFIX}`;
    for (const name of [...this.#names, unfinished]) await unlinkIfPresent(fs, join(directory, name));
  }

  async #flush(): Promise<void> {
    if (this.#group.length === 0) return;
    const { directory, fs, uuid } = this.#options;
    const pieces = this.#encoder.encode(this.#group);
    if (this.#file === undefined) {
      this.#file = await fs.open(join(directory, `${this.#name(this.#names.length)}${TEMPORARY_SUFFIX}`), 'truncate');
      pieces.unshift(encodeSideHeader(this.#names.length, uuid));
      this.#groupBytes += SIDE_HEADER_BYTES;
    }
    await this.#file.writev(pieces, this.#length);
    this.#length += this.#groupBytes;
    this.#group = [];
    this.#groupBytes = 0;
  }

  async #complete(): Promise<void> {
    if (this.#index === 0) return;
    this.#queue(END_MARK, new Uint8Array(0));
    await this.#flush();
    const file = this.#file;
    assert(file !== undefined, 'a side log with records has a file');
    const { directory, fs } = this.#options;
    const name = this.#name(this.#names.length);
    await file.datasync();
    this.#file = undefined;
    await file.close();
    await fs.rename(join(directory, name + TEMPORARY_SUFFIX), join(directory, name));
    await fs.syncDirectory(directory);
    this.#names.push(name);
    this.#length = 0;
    this.#index = 0;
  }

  #name(part: number): string {
    return `${this.#baseName}-${part}.rows`;
  }
}

/**
 * Reads one file of a side log.
 * @param bytes at an 8-byte aligned `byteOffset`
 * @param uuid of the catalog
 */
export function decodeSideLog(bytes: Uint8Array, uuid: string): SideLogContent {
  const problem = sideHeaderProblem(bytes, uuid);
  if (problem !== undefined) return { records: [], damage: problem };
  const { damage, records } = decodeRecords(bytes, SIDE_HEADER_BYTES);
  const found = records.map(({ body }) => {
    assert(body.byteLength >= SOURCE_BYTES, 'a record of a side log is too short');
    const view = new DataView(body.buffer, body.byteOffset, SOURCE_BYTES);
    return { sourceNumber: Number(view.getBigUint64(0, true)), body: body.subarray(SOURCE_BYTES) };
  });
  const ended = found.at(-1)?.sourceNumber === END_MARK;
  return { records: ended ? found.slice(0, -1) : found, damage: damage ?? (ended ? undefined : 'file is cut off') };
}
