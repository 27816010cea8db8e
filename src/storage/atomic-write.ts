import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from './errors.ts';
import type { FileSystem } from './file-system.ts';

/** Ending of files that are being written; whoever lists a directory ignores them, `removeTemporaryFiles` deletes them. */
export const TEMPORARY_SUFFIX = '.tmp';

/** Ending of files that could not be used and were kept for inspection. */
export const CORRUPT_SUFFIX = '.corrupt';

/** Replaces `path` so that after a crash it holds all of the old or all of the new bytes. Durable when it resolves. */
export async function atomicWrite(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    await writeAndSync(fs, temporary, bytes, 'truncate');
    await fs.rename(temporary, path);
  } catch (error) {
    await unlinkIfPresent(fs, temporary).catch(() => undefined); // the first failure is the one to report
    throw error;
  }
  await fs.syncDirectory(dirname(path));
}

/**
 * Creates `path` complete and durable; fails with EEXIST when it is there already. After any other failure the
 * caller cannot know whether the name became visible and must clean up (`unlinkIfPresent` + `syncDirectory`).
 */
export async function createExclusive(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    await writeAndSync(fs, temporary, bytes, 'truncate');
    await linkOrCreate(fs, temporary, path, bytes);
  } finally {
    await unlinkIfPresent(fs, temporary).catch(() => undefined); // removed at the next start at the latest
  }
  await fs.syncDirectory(dirname(path));
}

/** Gives a file that cannot be used the first free name `<name>.corrupt`, `<name>.corrupt.1`, ...; returns that name's path. */
export async function moveAside(fs: FileSystem, path: string): Promise<string> {
  const target = await freeCorruptPath(fs, path);
  await fs.rename(path, target);
  await fs.syncDirectory(dirname(path));
  return target;
}

/** Keeps bytes that are about to be cut off in a `.corrupt` file beside `path`; returns its path. */
export async function keepAside(fs: FileSystem, path: string, bytes: Uint8Array): Promise<string> {
  const target = await freeCorruptPath(fs, path);
  await createExclusive(fs, target, bytes);
  return target;
}

/** Deletes a file; a missing one is fine. */
export async function unlinkIfPresent(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.unlink(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes what writers that died left half-written in a directory. */
export async function removeTemporaryFiles(fs: FileSystem, directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    if (name.endsWith(TEMPORARY_SUFFIX)) await unlinkIfPresent(fs, join(directory, name));
  }
}

async function writeAndSync(fs: FileSystem, path: string, bytes: Uint8Array, mode: 'create' | 'truncate'): Promise<void> {
  const file = await fs.open(path, mode);
  try {
    await file.writev([bytes], 0);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** A hard link is exclusive and never shows a half-written file; file systems without links get an exclusive create. */
async function linkOrCreate(fs: FileSystem, temporary: string, path: string, bytes: Uint8Array): Promise<void> {
  try {
    await fs.link(temporary, path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error;
    await writeAndSync(fs, path, bytes, 'create');
  }
}

async function freeCorruptPath(fs: FileSystem, path: string): Promise<string> {
  const taken = new Set(await fs.readdir(dirname(path)));
  const base = basename(path) + CORRUPT_SUFFIX;
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}.${i}`;
  return join(dirname(path), name);
}
