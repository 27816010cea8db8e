import assert from 'node:assert/strict';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type FileSystem, nodeFileSystem } from '../../../../src/storage/index.ts';
import { encodeFileHeader } from '../../../../src/write/wal/record.ts';
import { temporaryDirectory } from '../../storage/temp-directory.ts';
import { appendText, openWal, UUID, walNames, walPath } from './wal-fixture.ts';

const PREPARED = { prepareFiles: true };

/** Waits until a file is there with a length that is a whole number of pages. */
async function ready(path: string): Promise<void> {
  for (;;) {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size > 0 && size % 4096 === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('the next file is created while the current one is in use; a stop leaves one that tells of the last with records', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root, PREPARED);
  assert.deepEqual(await walNames(root), []);
  await appendText(wal, 'a');
  await ready(walPath(root, 2));
  await wal.rotate();
  await appendText(wal, 'b');
  await ready(walPath(root, 3));
  await wal.stop();
  assert.deepEqual(await walNames(root), ['00000000001.wal', '00000000002.wal', '00000000003.wal']);
  assert.equal((await stat(walPath(root, 3))).size, 48);
  const { replayed } = await openWal(root);
  assert.deepEqual(replayed, [
    { file: 1, text: 'a' },
    { file: 2, text: 'b' },
  ]);
});

test('a file that was made ready has room for what the one before took, and is cut back at its end', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root, PREPARED);
  const text = 'x'.repeat(1000);
  for (let i = 0; i < 20; i++) await appendText(wal, text);
  await wal.rotate();
  await appendText(wal, 'first of the second'); // the second was made ready before the first was complete
  await ready(walPath(root, 3));
  assert.equal((await stat(walPath(root, 3))).size, 28_672);
  await wal.rotate();
  await appendText(wal, 'only one');
  await wal.rotate();
  await wal.stop();
  assert.equal((await stat(walPath(root, 3))).size, 48 + 32 + 8);
});

test('of files that were made ready and not used the newest stays, as long as it tells of one that is needed', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root, PREPARED);
  await appendText(wal, 'a');
  await wal.stop();
  const unused = new Uint8Array(8192);
  unused.set(encodeFileHeader(2, UUID, { fileNumber: 1, recordCount: 1 }));
  await writeFile(walPath(root, 2), unused);
  const { replayed, report, wal: second } = await openWal(root, PREPARED, { failOnError: true });
  assert.deepEqual(replayed, [{ file: 1, text: 'a' }]);
  assert.deepEqual([report.movedAside, report.tornFiles, report.highestNumber], [[], 0, 2]);
  assert.deepEqual(await walNames(root), ['00000000001.wal', '00000000002.wal']);
  await second.stop();
  assert.deepEqual(await walNames(root), ['00000000001.wal', '00000000002.wal', '00000000003.wal']);
  const { wal: third } = await openWal(root, PREPARED, { failOnError: true });
  assert.deepEqual(await walNames(root), ['00000000001.wal', '00000000003.wal']);
  await third.deleteCovered(3, 0);
  assert.deepEqual(await walNames(root), []);
});

for (const [name, bytes] of [
  ['made ready', 4096],
  ['cut short', 0],
] as const) {
  test(`a torn file still counts as the newest when one follows that was ${name}`, async (t) => {
    const root = await temporaryDirectory(t);
    const { wal } = await openWal(root);
    await appendText(wal, 'whole');
    await appendText(wal, 'torn');
    await wal.stop();
    const path = walPath(root, 1);
    await truncate(path, (await readFile(path)).length - 6);
    const next = new Uint8Array(bytes);
    if (bytes > 0) next.set(encodeFileHeader(2, UUID, { fileNumber: 1, recordCount: 1 }));
    await writeFile(walPath(root, 2), next);
    const { replayed, report } = await openWal(root, {}, { failOnError: true });
    assert.deepEqual(replayed, [{ file: 1, text: 'whole' }]);
    assert.equal(report.tornFiles, 1);
  });
}

test('a file that cannot be made ready is created by its first record', async (t) => {
  for (const step of ['open', 'writev', 'syncDirectory'] as const) {
    const root = await temporaryDirectory(t);
    let failures = 0;
    let preparing = false;
    const failAt = (at: string): void => {
      if (!preparing || failures > 0 || at !== step) return;
      failures++;
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    const fs: FileSystem = {
      ...nodeFileSystem,
      open: async (path, mode) => {
        preparing = path === walPath(root, 2);
        failAt('open');
        const file = await nodeFileSystem.open(path, mode);
        return {
          writev: async (parts, position) => {
            failAt('writev');
            await file.writev(parts, position);
          },
          datasync: () => file.datasync(),
          truncate: (length) => file.truncate(length),
          close: () => file.close(),
        };
      },
      syncDirectory: async (path) => {
        failAt('syncDirectory');
        await nodeFileSystem.syncDirectory(path);
      },
    };
    const { wal } = await openWal(root, { fs, ...PREPARED });
    await appendText(wal, 'a');
    while (failures === 0) await new Promise((resolve) => setImmediate(resolve));
    await wal.rotate();
    await appendText(wal, 'b');
    await wal.stop();
    assert.equal(wal.totals.failedRecords, 0, step);
    assert.deepEqual(await walNames(root), ['00000000001.wal', '00000000002.wal', '00000000003.wal'], step);
    const { replayed } = await openWal(root);
    assert.deepEqual(
      replayed.map((record) => record.text),
      ['a', 'b'],
      step,
    );
  }
});
