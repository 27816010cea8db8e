import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeFileSystem } from '../../../../src/storage/index.ts';
import { FaultyFileSystem } from '../../storage/faulty-file-system.ts';
import { temporaryDirectory } from '../../storage/temp-directory.ts';
import { appendText, openWal, walNames } from './wal-fixture.ts';

/** Appends in groups over three files; returns what was acknowledged and what failed. */
async function writeSome(root: string, fs: FaultyFileSystem, prepareFiles: boolean): Promise<{ acknowledged: string[]; failed: string[] }> {
  const acknowledged: string[] = [];
  const failed: string[] = [];
  const { wal } = await openWal(root, { fs, prepareFiles });
  for (let group = 0; group < 6; group++) {
    const texts = [`${group}-a`, `${group}-b`, `${group}-c`];
    await Promise.all(
      texts.map((text) =>
        appendText(wal, text).then(
          () => acknowledged.push(text),
          () => failed.push(text),
        ),
      ),
    );
    if (group % 2 === 1) await wal.rotate();
  }
  await wal.stop();
  return { acknowledged, failed };
}

for (const [dead, prepareFiles] of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const) {
  const how = `${dead ? 'for good' : 'once'}${prepareFiles ? ', files made ready' : ''}`;
  test(`no acknowledged record is lost whichever operation fails ${how}`, async (t) => {
    const counting = new FaultyFileSystem(nodeFileSystem);
    await writeSome(await temporaryDirectory(t), counting, prepareFiles);
    assert.ok(counting.operations.length > 20);
    for (let at = 0; at < counting.operations.length; at++) {
      const root = await temporaryDirectory(t);
      const fs = new FaultyFileSystem(nodeFileSystem, { at, dead, code: 'ENOSPC' });
      const outcome = await writeSome(root, fs, prepareFiles).catch(() => ({ acknowledged: [] as string[], failed: [] as string[] }));
      const { replayed, report } = await openWal(root);
      assert.deepEqual(report.lost, [], `operation ${at}: nothing is lost that was acknowledged`);
      const found = new Set(replayed.map((record) => record.text));
      const context = `operation ${at} (${counting.operations[at]})`;
      assert.equal(found.size, replayed.length, `${context}: a record appears twice`);
      for (const text of outcome.acknowledged) assert.ok(found.has(text), `${context}: ${text} is lost`);
      if (!dead) for (const text of outcome.failed) assert.ok(!found.has(text), `${context}: failed ${text} is in the log`);
    }
  });
}

test('a full disk fails the waiting writes with the exact text; later ones go to the next file', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const { wal } = await openWal(root, { fs });
  await appendText(wal, 'good');
  fs.failNext('writev', 'ENOSPC');
  const failing = appendText(wal, 'lost');
  const sameFile = appendText(wal, 'also lost');
  await assert.rejects(failing, {
    message: 'write buffer error: error from wal: ENOSPC: injected at writev',
    status: 500,
    code: 'WAL_WRITE_FAILED',
  });
  await assert.rejects(sameFile, { code: 'WAL_WRITE_FAILED' });
  assert.equal(wal.totals.failedRecords, 2);
  assert.equal(wal.currentFileNumber, 2);
  await appendText(wal, 'after');
  await wal.stop();
  const { replayed, report } = await openWal(root);
  assert.deepEqual(replayed, [
    { file: 1, text: 'good' },
    { file: 2, text: 'after' },
  ]);
  assert.equal(report.tornFiles, 0, 'the failed file was cut back');
});

test('a file that never got a durable record leaves nothing behind and is no period', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const { wal } = await openWal(root, { fs });
  const periods: number[] = [];
  wal.onPeriodClosed((period) => periods.push(period.fileNumber));
  fs.failNext('datasync', 'EIO');
  await assert.rejects(appendText(wal, 'lost'), { code: 'WAL_WRITE_FAILED' });
  fs.failNext('syncDirectory', 'EIO');
  await assert.rejects(appendText(wal, 'lost too'), { code: 'WAL_WRITE_FAILED' });
  await appendText(wal, 'good');
  await wal.stop();
  assert.deepEqual(await walNames(root), ['00000000003.wal']);
  assert.deepEqual(periods, [3]);
});

test('a failed file with durable records still becomes a period', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const { wal } = await openWal(root, { fs });
  const periods: unknown[] = [];
  wal.onPeriodClosed((period) => periods.push([period.fileNumber, period.minTimeNs, period.maxTimeNs]));
  await appendText(wal, 'good', 7n);
  fs.failNext('datasync', 'EIO');
  await assert.rejects(appendText(wal, 'lost', 99n), { code: 'WAL_WRITE_FAILED' });
  await wal.stop();
  assert.deepEqual(periods, [[1, 7n, 7n]]);
});
