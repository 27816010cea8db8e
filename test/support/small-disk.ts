import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const DISK_BYTES = 64 * 1024 * 1024;

/** Whether tests can have small disks here. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mountAndUnmount();

/** For the name of a test that is skipped without. */
export const reason = canMount ? '' : ' (skipped: needs the right to mount a tmpfs)';

/** A small disk of its own, gone at the end of the test. */
export function smallDisk(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-e2e-'));
  mount(directory);
  t.after(() => {
    spawnSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Takes all space of the disk but `leave` bytes. Returns the file that takes it. */
export function fill(directory: string, leave: number): string {
  const { bavail, bsize } = statfsSync(directory);
  const ballast = join(directory, 'ballast');
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leave), 1));
  return ballast;
}

function mount(directory: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', directory]).status === 0;
}

function mountAndUnmount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-e2e-'));
  const done = mount(directory) && spawnSync('umount', [directory]).status === 0;
  rmSync(directory, { recursive: true, force: true });
  return done;
}
