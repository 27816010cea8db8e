/**
 * The file operations that durable code needs, small enough to be replaced in tests by one that fails the nth
 * operation. All errors are the system's own (`code` = ENOENT, ENOSPC, EIO, ...).
 */
export interface FileSystem {
  /** Opens for writing. `create`: the file must not exist; `truncate`: created or emptied; `existing`: must exist. */
  open(path: string, mode: 'create' | 'truncate' | 'existing', hint?: OpenHint): Promise<OpenFile>;
  /** Whole content, at an 8-byte aligned `byteOffset`. */
  readFile(path: string): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
  /** Hard link; fails with EEXIST when `to` exists. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Removes an empty directory; fails with ENOTEMPTY (or EEXIST) when it is not. */
  rmdir(path: string): Promise<void>;
  /** Names, sorted by code unit; a missing directory has none. */
  readdir(path: string): Promise<string[]>;
  /** The same with kinds, in no order. */
  entries(path: string): Promise<readonly { readonly name: string; readonly isDirectory: boolean }[]>;
  /** `length` bytes from byte `start` on, fewer where the file ends. */
  readRange(path: string, start: number, length: number): Promise<Uint8Array>;
  /** With all parents; an existing directory is fine. */
  mkdir(path: string): Promise<void>;
  /** Makes names that were added, renamed or removed in the directory durable. */
  syncDirectory(path: string): Promise<void>;
  size(path: string): Promise<number>;
  /** CRC-32 of the whole content, read piece by piece. */
  checksum(path: string): Promise<number>;
}

/**
 * `sync-each-write`: every write will be followed by `datasync`. An implementation may then make writes durable by
 * themselves and spare the second call; callers must call `datasync` all the same.
 */
export type OpenHint = 'sync-each-write';

/** A file open for writing. */
export interface OpenFile {
  /** Writes all parts one after another from byte `position`; complete when it resolves. */
  writev(parts: readonly Uint8Array[], position: number): Promise<void>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}
