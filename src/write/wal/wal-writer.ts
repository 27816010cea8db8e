import type { WalFileNumber } from '../../shared/ids.ts';
import type { PreviousFile } from './record.ts';

/** Writes one log file. Bytes count as written only when they are durable. */
export interface WalWriter {
  /** Bytes that are durable, the header included. */
  readonly length: number;
  /** Bytes of all small appends. */
  readonly smallBytes: number;
  /**
   * Makes records durable.
   * @param previous for the header, which is written with the first records
   */
  append(parts: readonly Uint8Array[], byteLength: number, previous: PreviousFile): Promise<void>;
  /** After a failed append: gives up what is not durable. */
  abandon(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the files that records are written to. */
export interface WalWriters {
  /** The file for a period's first record. */
  take(fileNumber: WalFileNumber): Promise<WalWriter>;
  /** May begin to make a file ready. */
  prepare(fileNumber: WalFileNumber, previous: PreviousFile): void;
  /** A file is complete. */
  noteClosed(file: WalWriter): void;
  /** At the end: may leave a file without records behind the last one with some, so that a start notices when that is lost. */
  leaveMark(fileNumber: WalFileNumber, previous: PreviousFile): Promise<void>;
  /** Nothing is made ready afterwards. Idempotent. */
  stop(): Promise<void>;
}
