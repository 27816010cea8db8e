import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '../../../../src/shared/logger.ts';
import { type FileSystem, nodeFileSystem, type OpenFile } from '../../../../src/storage/index.ts';
import { type ReplayOptions, type ReplayReport, Wal, type WalOptions } from '../../../../src/write/wal/index.ts';
import { FakeTime } from '../../../support/fake-time.ts';

export const UUID = '0123abcd-4567-4def-8123-456789abcdef';

/** A file system whose syncs wait for the test, of all files or of those that `gates` says. */
export class GatedFileSystem implements FileSystem {
  readonly waiting: (() => void)[] = [];
  syncCount = 0;
  #open = false;
  readonly #gates: (path: string) => boolean;
  readonly #inner = nodeFileSystem;
  readonly readFile = this.#inner.readFile;
  readonly rename = this.#inner.rename;
  readonly link = this.#inner.link;
  readonly unlink = this.#inner.unlink;
  readonly rmdir = this.#inner.rmdir;
  readonly readdir = this.#inner.readdir;
  readonly entries = this.#inner.entries;
  readonly readRange = this.#inner.readRange;
  readonly mkdir = this.#inner.mkdir;
  readonly size = this.#inner.size;
  readonly checksum = this.#inner.checksum;
  readonly syncDirectory = this.#inner.syncDirectory;

  constructor(gates: (path: string) => boolean = () => true) {
    this.#gates = gates;
  }

  /** From now on syncs wait. */
  closeGate(): void {
    this.#open = false;
  }

  /** From now on nothing waits. */
  openGate(): void {
    this.#open = true;
    for (const release of this.waiting.splice(0)) release();
  }

  /** Lets the sync that waits finish. */
  releaseOne(): void {
    this.waiting.shift()?.();
  }

  async open(path: string, mode: 'create' | 'truncate' | 'existing'): Promise<OpenFile> {
    const file = await this.#inner.open(path, mode);
    return {
      writev: (parts, position) => file.writev(parts, position),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
      datasync: async () => {
        this.syncCount++;
        if (!this.#open && this.#gates(path)) await new Promise<void>((resolve) => this.waiting.push(resolve));
        await file.datasync();
      },
    };
  }
}

export interface OpenedWal {
  readonly wal: Wal;
  readonly report: ReplayReport;
  /** Bodies that replay delivered, as text, with their file numbers. */
  readonly replayed: readonly { readonly file: number; readonly text: string }[];
}

/** A replayed log, ready for appends. */
export async function openWal(root: string, overrides: Partial<WalOptions> = {}, replay: Partial<ReplayOptions> = {}): Promise<OpenedWal> {
  const time = new FakeTime();
  const wal = new Wal({
    fs: nodeFileSystem,
    root,
    uuid: UUID,
    clock: time,
    timers: time,
    log: silentLogger,
    durability: 'sync',
    flushIntervalMs: 1000,
    prepareFiles: false,
    ...overrides,
  });
  const replayed: { file: number; text: string }[] = [];
  const onRecord = (file: number, body: Uint8Array) => {
    replayed.push({ file, text: Buffer.from(body).toString() });
  };
  const report = await wal.replay({ afterFileNumber: 0, onRecord, ...replay });
  return { wal, report, replayed };
}

/** Appends one text; resolves when it is durable. */
export function appendText(wal: Wal, text: string, timeNs = 0n): Promise<void> {
  return wal.append(Buffer.from(text), timeNs, timeNs, () => undefined);
}

export async function walNames(root: string): Promise<string[]> {
  return (await readdir(join(root, 'wal'))).sort();
}

export function walPath(root: string, fileNumber: number): string {
  return join(root, 'wal', `${String(fileNumber).padStart(11, '0')}.wal`);
}
