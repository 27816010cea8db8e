import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../shared/clock.ts';

/** A process that lives puts files into its directory more often than this. */
const ABANDONED_MS = 24 * 3_600_000;

/**
 * Makes a directory of its own for files on their way to a bucket, and removes those of the same purpose that killed processes
 * left. Whoever made it removes it. Rejects with the failure of the system.
 */
export async function makeSpoolDirectory(purpose: string, parent: string = tmpdir()): Promise<string> {
  const prefix = `influxdb3-${purpose}-`;
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const isAbandoned = await stat(path).then(
      ({ mtimeMs, uid }) => systemClock.nowMs() - mtimeMs > ABANDONED_MS && uid === (process.getuid?.() ?? uid),
      () => false, // it went just now
    );
    if (isAbandoned) await rm(path, { recursive: true, force: true }).catch(() => undefined); // room on a disk, no more
  }
  return mkdtemp(join(parent, prefix));
}
