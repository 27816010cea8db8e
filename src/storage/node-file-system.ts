import { constants, write, writev } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { systemErrorCode } from './errors.ts';
import type { FileSystem, OpenFile } from './file-system.ts';

const OPEN_FLAGS = { create: 'wx', truncate: 'w', existing: 'r+' } as const;

/**
 * A write that is durable when it returns: one call and one turn of the thread pool instead of two. Only where it means
 * the same as write and fdatasync (macOS, for one, leaves data in the drive's cache).
 */
const SYNCED_CREATE_FLAGS =
  process.platform === 'linux' ? constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DSYNC : undefined;

/** File operations of the operating system. */
export const nodeFileSystem: FileSystem = {
  async open(path, mode, hint) {
    const synced = mode === 'create' && hint === 'sync-each-write' && SYNCED_CREATE_FLAGS !== undefined;
    return new NodeOpenFile(await open(path, synced ? SYNCED_CREATE_FLAGS : OPEN_FLAGS[mode]), synced);
  },
  async readFile(path) {
    const bytes = await readFile(path);
    return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  },
  rename,
  link,
  unlink,
  rmdir,
  async readdir(path) {
    try {
      return (await readdir(path)).sort();
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  },
  async entries(path) {
    try {
      return (await readdir(path, { withFileTypes: true })).map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  },
  readRange,
  mkdir: makeDirectory,
  syncDirectory,
  async size(path) {
    return (await stat(path)).size;
  },
  checksum,
};

async function readRange(path: string, start: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, (await handle.stat()).size - start)));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

const CHECKSUM_PIECE_BYTES = 1024 * 1024;

async function checksum(path: string): Promise<number> {
  const handle = await open(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(Math.min(CHECKSUM_PIECE_BYTES, (await handle.stat()).size + 1));
    for (let crc = 0; ; ) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return crc;
      crc = crc32(piece.subarray(0, bytesRead), crc);
    }
  } finally {
    await handle.close();
  }
}

/**
 * One level at a time: Node.js's own recursive mode never returns where a directory cannot be made although its
 * parent exists, as below /proc.
 */
async function makeDirectory(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = await stat(at).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      return undefined;
    });
    if (found?.isDirectory() === true) break;
    if (found !== undefined) throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${at}'`), { code: 'ENOTDIR' });
    missing.push(at);
  }
  for (const directory of missing.reverse()) {
    await mkdir(directory).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'EEXIST') throw error; // somebody else was faster
    });
  }
}

/** The same operations without any sync: for stores that need not survive a power cut. */
export function unsyncedFileSystem(inner: FileSystem): FileSystem {
  return {
    open: async (path, mode) => new UnsyncedFile(await inner.open(path, mode)),
    readFile: (path) => inner.readFile(path),
    rename: (from, to) => inner.rename(from, to),
    link: (from, to) => inner.link(from, to),
    unlink: (path) => inner.unlink(path),
    rmdir: (path) => inner.rmdir(path),
    readdir: (path) => inner.readdir(path),
    entries: (path) => inner.entries(path),
    readRange: (path, start, length) => inner.readRange(path, start, length),
    mkdir: (path) => inner.mkdir(path),
    syncDirectory: async () => undefined,
    size: (path) => inner.size(path),
    checksum: (path) => inner.checksum(path),
  };
}

class NodeOpenFile implements OpenFile {
  readonly #handle: FileHandle;
  /** Each write is durable when it returns. */
  readonly #syncedWrites: boolean;
  #truncated = false;

  constructor(handle: FileHandle, syncedWrites: boolean) {
    this.#handle = handle;
    this.#syncedWrites = syncedWrites;
  }

  async writev(parts: readonly Uint8Array[], position: number): Promise<void> {
    let rest = parts;
    let offset = position;
    while (rest.length > 0) {
      const bytesWritten = await writeSome(this.#handle.fd, rest, offset);
      offset += bytesWritten;
      rest = unwritten(rest, bytesWritten);
    }
  }

  async datasync(): Promise<void> {
    if (this.#syncedWrites && !this.#truncated) return;
    await this.#handle.datasync();
    this.#truncated = false;
  }

  async truncate(length: number): Promise<void> {
    this.#truncated = true;
    await this.#handle.truncate(length);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

class UnsyncedFile implements OpenFile {
  readonly #inner: OpenFile;

  constructor(inner: OpenFile) {
    this.#inner = inner;
  }

  writev(parts: readonly Uint8Array[], position: number): Promise<void> {
    return this.#inner.writev(parts, position);
  }

  async datasync(): Promise<void> {}

  truncate(length: number): Promise<void> {
    return this.#inner.truncate(length);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** The handle's own promises cost several times as much, and every write of the log waits for this. */
function writeSome(descriptor: number, parts: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onWritten = (error: Error | null, bytesWritten: number): void => {
      if (error === null) resolve(bytesWritten);
      else reject(error);
    };
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) write(descriptor, first, 0, first.byteLength, position, onWritten);
    else writev(descriptor, parts as Uint8Array[], position, onWritten);
  });
}

/** What a short write left over. Empty parts at the front are dropped, so a loop over it always ends. */
function unwritten(parts: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let left = written;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part === undefined) break;
    if (left < part.byteLength) return [part.subarray(left), ...parts.slice(i + 1)];
    left -= part.byteLength;
  }
  return [];
}

async function syncDirectory(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (cannotSyncDirectories(error)) return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    if (!cannotSyncDirectories(error)) throw error;
  } finally {
    await handle.close();
  }
}

/** Windows cannot open directories as files, some network file systems cannot sync them; both order names themselves. */
function cannotSyncDirectories(error: unknown): boolean {
  const code = systemErrorCode(error);
  return (
    code === 'EISDIR' ||
    code === 'EINVAL' ||
    code === 'ENOTSUP' ||
    (process.platform === 'win32' && (code === 'EPERM' || code === 'EACCES'))
  );
}
