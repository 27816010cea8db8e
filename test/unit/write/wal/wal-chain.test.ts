import assert from 'node:assert/strict';
import { cp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { nodeFileSystem } from '../../../../src/storage/index.ts';
import { FILE_HEADER_BYTES } from '../../../../src/write/wal/record.ts';
import { FaultyFileSystem } from '../../storage/faulty-file-system.ts';
import { temporaryDirectory } from '../../storage/temp-directory.ts';
import { appendText, openWal, UUID, walNames, walPath } from './wal-fixture.ts';

const PREPARED = { prepareFiles: true };
const RECORD_BYTES = 40;

/** Files 1 to 4, each with two records and the next one ready; then the end that `stop` makes, or a crash. */
async function fourFiles(t: TestContext, stop: boolean): Promise<string> {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root, PREPARED);
  for (const name of ['a', 'b', 'c', 'd']) {
    await appendText(wal, `${name}1`);
    await appendText(wal, `${name}2`);
    if (name !== 'd') await wal.rotate();
  }
  while (!(await walNames(root)).includes('00000000005.wal')) await new Promise(setImmediate);
  if (stop) {
    await wal.stop();
    return root;
  }
  const crashed = await temporaryDirectory(t);
  await cp(root, crashed, { recursive: true });
  await wal.stop();
  return crashed;
}

async function texts(root: string): Promise<string[]> {
  return (await openWal(root)).replayed.map(({ text }) => text);
}

for (const [end, stop] of [
  ['a stop', true],
  ['a crash', false],
] as const) {
  for (const missing of [1, 2, 3, 4]) {
    test(`file ${missing} of 4 is missed after ${end}, and its name stops the start when asked to`, async (t) => {
      const root = await fourFiles(t, stop);
      assert.deepEqual((await openWal(root, {}, { failOnError: true })).report.lost, [], 'nothing is missed when all is there');
      await rm(walPath(root, missing));
      await assert.rejects(openWal(root, {}, { failOnError: true }), (error: Error & { code?: string }) => {
        return error.code === 'WAL_CORRUPT' && error.message.includes(`'${walPath(root, missing)}' is damaged: file is missing`);
      });
      const { replayed, report } = await openWal(root, PREPARED);
      assert.equal(replayed.length, 6);
      assert.deepEqual(report.lost, [{ path: walPath(root, missing), reason: `file is missing, file ${missing + 1} knows it` }]);
      const covered = await openWal(root, {}, { failOnError: true, afterFileNumber: missing });
      assert.deepEqual(covered.report.lost, [], 'what a snapshot covers is not missed');
    });
  }
}

test('a file that was cut off between two records has lost records', async (t) => {
  const root = await fourFiles(t, true);
  await truncate(walPath(root, 2), FILE_HEADER_BYTES + RECORD_BYTES);
  await assert.rejects(openWal(root, {}, { failOnError: true }), { code: 'WAL_CORRUPT', message: /file has 1 of at least 2 records/ });
  const { replayed, report } = await openWal(root);
  assert.equal(replayed.length, 7);
  assert.deepEqual(report.lost, [{ path: walPath(root, 2), reason: 'file has 1 of at least 2 records' }]);
});

test('several files in a row are missed by the last of them', async (t) => {
  const root = await fourFiles(t, true);
  await rm(walPath(root, 2));
  await rm(walPath(root, 3));
  const { report } = await openWal(root);
  assert.deepEqual(
    report.lost.map(({ path }) => path),
    [walPath(root, 3)],
  );
});

test('damage that was accepted once does not stop later starts', async (t) => {
  for (const damage of [
    (root: string) => truncate(walPath(root, 2), FILE_HEADER_BYTES + RECORD_BYTES + 5),
    (root: string) => writeFile(walPath(root, 2), 'nothing of it is left'),
  ]) {
    const root = await fourFiles(t, true);
    await damage(root);
    await assert.rejects(openWal(root, {}, { failOnError: true }), { code: 'WAL_CORRUPT' });
    assert.equal((await openWal(root)).report.lost.length, 1);
    assert.deepEqual((await openWal(root, {}, { failOnError: true })).report.lost, []);
  }
});

test('numbers of failed files and of refused records are not missed', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const { wal } = await openWal(root, { fs });
  await appendText(wal, 'a');
  await wal.rotate();
  fs.failNext('datasync', 'EIO');
  await assert.rejects(appendText(wal, 'failed'), { code: 'WAL_WRITE_FAILED' });
  const refused = wal.append(
    () => {
      throw new Error('not encoded');
    },
    0n,
    0n,
    () => undefined,
  );
  await assert.rejects(refused, { message: 'not encoded' });
  await appendText(wal, 'b');
  await wal.stop();
  assert.deepEqual(await walNames(root), ['00000000001.wal', '00000000004.wal']);
  const { replayed, report } = await openWal(root, {}, { failOnError: true });
  assert.deepEqual(
    replayed.map(({ text }) => text),
    ['a', 'b'],
  );
  assert.deepEqual(report.lost, []);
});

test('a file that a snapshot knows is missed when the whole log is gone', async (t) => {
  const root = await fourFiles(t, true);
  for (const name of await walNames(root)) await rename(`${root}/wal/${name}`, `${root}/${name}`);
  const replay = { afterFileNumber: 2, expectedNumbers: [4] };
  assert.deepEqual((await openWal(root, {}, replay)).report.lost, [
    { path: walPath(root, 4), reason: 'file is missing, the newest snapshot knows it' },
  ]);
  await assert.rejects(openWal(root, {}, { ...replay, failOnError: true }), { code: 'WAL_CORRUPT' });
});

/** Gives a file the header of earlier versions. */
async function makeOld(root: string, fileNumber: number): Promise<void> {
  const bytes = await readFile(walPath(root, fileNumber));
  const header = Buffer.alloc(32);
  header.write('i3ts-wal', 'latin1');
  header.writeBigUInt64LE(BigInt(fileNumber), 8);
  header.write(UUID.replaceAll('-', ''), 16, 'hex');
  await writeFile(walPath(root, fileNumber), Buffer.concat([header, bytes.subarray(FILE_HEADER_BYTES)]));
}

test('files of earlier versions are read, and the first new file tells of the last of them', async (t) => {
  const root = await fourFiles(t, true);
  await rm(walPath(root, 5));
  for (const fileNumber of [1, 2, 3, 4]) await makeOld(root, fileNumber);
  assert.deepEqual(await texts(root), ['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2']);
  const { report, wal } = await openWal(root, PREPARED, { failOnError: true });
  assert.deepEqual(report.lost, []);
  await appendText(wal, 'e1');
  await wal.stop();
  assert.equal((await texts(root)).length, 9);
  await rm(walPath(root, 4));
  assert.deepEqual((await openWal(root)).report.lost, [{ path: walPath(root, 4), reason: 'file is missing, file 5 knows it' }]);
});
