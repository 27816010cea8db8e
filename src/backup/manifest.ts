import { createHash } from 'node:crypto';
import { BackupError } from './contract.ts';

/** A file of a backup. */
export interface StoredFile {
  /** Below the node's directory, parts joined by `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 of the content, 64 hex digits; the content lies in the backup under this name. */
  readonly sha256: string;
  readonly crc32?: number | undefined;
}

/** One backup of a backup directory: what the node held at one moment. */
export interface BackupManifest {
  readonly version: 1;
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

/** The text of a manifest; its last member is the SHA-256 of the text without it. */
export function encodeManifest(manifest: BackupManifest): string {
  const text = JSON.stringify(manifest, null, 1);
  return JSON.stringify({ ...manifest, checksum: sha256Of(text) }, null, 1);
}

/** Reads a manifest. Throws `BackupError` for a text that was changed or cut, or names files outside of a node's directory. */
export function decodeManifest(text: string, where: string): BackupManifest {
  let parsed: BackupManifest & { readonly checksum?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (error) {
    throw new BackupError(`${where} is damaged: it is not JSON`, { cause: error });
  }
  const { checksum, ...manifest } = parsed;
  if (manifest.version !== 1)
    throw new BackupError(`${where} is of another version of influxdb3`, { hint: 'use the version that made it, or a newer one' });
  if (checksum !== sha256Of(JSON.stringify(manifest, null, 1))) throw new BackupError(`${where} is damaged: its checksum is wrong`);
  for (const { path, sha256 } of manifest.files) {
    const parts = path.split('/');
    const isSafe =
      parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part)) && /^[0-9a-f]{64}$/.test(sha256);
    if (!isSafe) throw new BackupError(`${where} names a file that no backup has: ${JSON.stringify(path)}`);
  }
  return manifest;
}

/** The name of a backup of a moment: its time without characters that file systems refuse. */
export function backupName(takenAt: string): string {
  return takenAt.replaceAll(':', '-').replace('.', '-');
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
