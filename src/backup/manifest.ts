import { createHash } from 'node:crypto';
import { BackupError } from './contract.ts';

/** A file of a backup. */
export interface StoredFile {
  /** Below the node's directory, parts joined by `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 of the content, 64 hex digits. */
  readonly sha256: string;
  readonly crc32?: number | undefined;
  /** The run that brought the content, 12 hex digits; undefined = a run of a version that had no such names. */
  readonly run?: string | undefined;
}

/** One backup: what the node held at one moment. */
export interface BackupManifest {
  /** 1 = contents are named by their SHA-256 alone. */
  readonly version: 1 | 2;
  /** Names the backup: its time, as a file can be called. */
  readonly name: string;
  readonly takenAt: string;
  readonly nodeId: string;
  readonly serverVersion: string;
  readonly catalogUuid: string;
  readonly catalogSequence: number;
  /** Databases that were there. */
  readonly databases: readonly string[];
  readonly files: readonly StoredFile[];
}

/** Stands in the place of the manifest of a backup that was interrupted and cannot end any more. */
export interface GivenUp {
  readonly version: 2;
  readonly givenUp: true;
}

/** What a backup has stored until now; a backup that did not end leaves it to the next one. */
export interface Progress {
  readonly version: 2;
  readonly run: string;
  readonly catalogUuid: string;
  readonly files: readonly StoredFile[];
}

/** The text of an object of a repository; its last member is the SHA-256 of the text without it. */
export function encodeSealed(value: BackupManifest | GivenUp | Progress): Buffer {
  const text = JSON.stringify(value, null, 1);
  return Buffer.from(JSON.stringify({ ...value, checksum: sha256Of(text) }, null, 1));
}

/** Reads what stands in the place of a manifest. Throws `BackupError` for a text that was changed or cut, or names files outside of a node's directory. */
export function decodeManifest(bytes: Uint8Array, where: string): BackupManifest | GivenUp {
  const value = decodeSealed(bytes, where) as BackupManifest | GivenUp;
  if (!('givenUp' in value)) checkFiles(value.files, where);
  return value;
}

/** Reads the progress of a backup. Throws `BackupError`. */
export function decodeProgress(bytes: Uint8Array, where: string): Progress {
  const value = decodeSealed(bytes, where) as Progress;
  checkFiles(value.files, where);
  return value;
}

/** Where the content of a file lies, below the place of the backups. */
export function contentKey({ run, sha256 }: Pick<StoredFile, 'run' | 'sha256'>): string {
  return `${CONTENTS}${sha256.slice(0, 2)}/${sha256}${run === undefined ? '' : `-${run}`}`;
}

/** Before the keys of contents. */
export const CONTENTS = 'contents/';

/** The name of a backup of a moment: its time without characters that file systems refuse. */
export function backupName(takenAt: string): string {
  return takenAt.replaceAll(':', '-').replace('.', '-');
}

function decodeSealed(bytes: Uint8Array, where: string): unknown {
  let parsed: { readonly version?: unknown; readonly checksum?: unknown };
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8')) as typeof parsed;
  } catch (error) {
    throw new BackupError(`${where} is damaged: it is not JSON`, { cause: error });
  }
  const { checksum, ...value } = parsed;
  if (value.version !== 1 && value.version !== 2)
    throw new BackupError(`${where} is of another version of influxdb3`, { hint: 'use the version that made it, or a newer one' });
  if (checksum !== sha256Of(JSON.stringify(value, null, 1))) throw new BackupError(`${where} is damaged: its checksum is wrong`);
  return value;
}

function checkFiles(files: readonly StoredFile[], where: string): void {
  for (const { path, run, sha256 } of files) {
    const parts = path.split('/');
    const isSafe =
      parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part)) &&
      /^[0-9a-f]{64}$/.test(sha256) &&
      (run === undefined || /^[0-9a-f]{12}$/.test(run));
    if (!isSafe) throw new BackupError(`${where} names a file that no backup has: ${JSON.stringify(path)}`);
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
