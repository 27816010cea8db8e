import assert from 'node:assert/strict';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { makeSpoolDirectory } from '../../../src/storage/index.ts';
import { temporaryDirectory } from './temp-directory.ts';

test('a directory for files on their way is made, and those that killed processes left a day ago go', async (t) => {
  const parent = await temporaryDirectory(t);
  const days = (count: number): Date => new Date(Date.now() - count * 24 * 3_600_000);
  const plant = async (name: string, modified: Date): Promise<void> => {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, 'large'), 'x');
    await utimes(join(parent, name), modified, modified);
  };
  await plant('influxdb3-backup-killed', days(1.1));
  await plant('influxdb3-backup-running', days(0.9));
  await plant('influxdb3-copy-killed', days(1.1));
  const made = basename(await makeSpoolDirectory('backup', parent));
  assert.match(made, /^influxdb3-backup-\w{6}$/);
  assert.deepEqual((await readdir(parent)).sort(), [made, 'influxdb3-backup-running', 'influxdb3-copy-killed'].sort());
});
