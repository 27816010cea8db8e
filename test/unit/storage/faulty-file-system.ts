import type { FileSystem, OpenFile } from '../../../src/storage/index.ts';

export interface Fault {
  /** Index of the first operation that fails, counted from 0. */
  readonly at: number;
  /** True = the process is dead from then on: every later operation fails too. */
  readonly dead: boolean;
  readonly code: string;
}

/** A file system that fails at the nth operation. A failing write leaves half of its bytes behind, as a crash does. */
export class FaultyFileSystem implements FileSystem {
  readonly operations: string[] = [];
  fault: Fault | undefined;
  readonly #inner: FileSystem;

  constructor(inner: FileSystem, fault?: Fault) {
    this.#inner = inner;
    this.fault = fault;
  }

  /** Throws when it is this operation's turn to fail. */
  step(name: string): void {
    const index = this.operations.length;
    this.operations.push(name);
    const { fault } = this;
    if (fault === undefined || index < fault.at || (index > fault.at && !fault.dead)) return;
    throw Object.assign(new Error(`${fault.code}: injected at ${name}`), { code: fault.code });
  }

  /** Fails the next operation of this kind, once. */
  failNext(name: string, code = 'EIO'): void {
    const step = this.step.bind(this);
    this.step = (operation) => {
      if (operation !== name) return step(operation);
      this.step = step;
      throw Object.assign(new Error(`${code}: injected at ${name}`), { code });
    };
  }

  async open(path: string, mode: 'create' | 'truncate' | 'existing'): Promise<OpenFile> {
    this.step('open');
    return new FaultyFile(await this.#inner.open(path, mode), this);
  }

  async readFile(path: string): Promise<Uint8Array> {
    this.step('readFile');
    return this.#inner.readFile(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.step('rename');
    await this.#inner.rename(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    this.step('link');
    await this.#inner.link(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.step('unlink');
    await this.#inner.unlink(path);
  }

  async rmdir(path: string): Promise<void> {
    this.step('rmdir');
    await this.#inner.rmdir(path);
  }

  async readdir(path: string): Promise<string[]> {
    this.step('readdir');
    return this.#inner.readdir(path);
  }

  async entries(path: string): ReturnType<FileSystem['entries']> {
    this.step('readdir');
    return this.#inner.entries(path);
  }

  async readRange(path: string, start: number, length: number): Promise<Uint8Array> {
    this.step('readRange');
    return this.#inner.readRange(path, start, length);
  }

  async mkdir(path: string): Promise<void> {
    this.step('mkdir');
    await this.#inner.mkdir(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.step('syncDirectory');
    await this.#inner.syncDirectory(path);
  }

  async size(path: string): Promise<number> {
    this.step('size');
    return this.#inner.size(path);
  }

  async checksum(path: string): Promise<number> {
    this.step('checksum');
    return this.#inner.checksum(path);
  }
}

class FaultyFile implements OpenFile {
  readonly #inner: OpenFile;
  readonly #fs: FaultyFileSystem;

  constructor(inner: OpenFile, fs: FaultyFileSystem) {
    this.#inner = inner;
    this.#fs = fs;
  }

  async writev(parts: readonly Uint8Array[], position: number): Promise<void> {
    try {
      this.#fs.step('writev');
    } catch (error) {
      const all = Buffer.concat(parts);
      await this.#inner.writev([all.subarray(0, all.length >> 1)], position);
      throw error;
    }
    await this.#inner.writev(parts, position);
  }

  async datasync(): Promise<void> {
    this.#fs.step('datasync');
    await this.#inner.datasync();
  }

  async truncate(length: number): Promise<void> {
    this.#fs.step('truncate');
    await this.#inner.truncate(length);
  }

  /** A dead process cannot fail to close. */
  close(): Promise<void> {
    return this.#inner.close();
  }
}
