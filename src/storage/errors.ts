import { StartupError } from '../shared/startup-error.ts';

/** Stable names of the reasons why a server does not start. */
export type StartupErrorCode =
  | 'DATA_DIR_UNUSABLE'
  | 'DATA_DIR_IN_USE'
  | 'COPY_UNFINISHED'
  | 'CATALOG_CORRUPT'
  | 'CATALOG_FOREIGN'
  | 'WAL_CORRUPT'
  | 'WAL_LATER_VERSION'
  | 'SNAPSHOT_CORRUPT'
  | 'SNAPSHOT_LATER_VERSION';

/** The start cannot go on because of what is on disk: the message says what is wrong, where, and what to do. */
export class StorageStartupError extends StartupError {
  readonly code: StartupErrorCode;

  constructor(code: StartupErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** `code` of a system error (`ENOENT`, `ENOSPC`, ...), if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** Text of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The option that says where a directory is. */
export type DirectoryOption = '--data-dir' | '--file-cache-dir';

/** Another process holds the node's directory. */
export function directoryInUse(directory: string, pid: number | undefined, option: DirectoryOption): StartupError {
  const holder = pid === undefined ? 'another influxdb3 process' : `another influxdb3 process (pid ${pid})`;
  return new StorageStartupError(
    'DATA_DIR_IN_USE',
    `directory '${directory}' is in use by ${holder}; stop it, or choose another --node-id or ${option}`,
  );
}

/** The directory of the data, or of the copies of a bucket's files, cannot be created, read or written. */
export function directoryUnusable(directory: string, cause: unknown, option: DirectoryOption = '--data-dir'): StartupError {
  const what = option === '--data-dir' ? 'data directory' : 'cache directory';
  return new StorageStartupError(
    'DATA_DIR_UNUSABLE',
    `cannot use ${what} '${directory}': ${errorText(cause)}; make it writable for this user, or choose another ${option}`,
    cause,
  );
}
