import assert from 'node:assert/strict';
import { copyFile, cp, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../storage/temp-directory.ts';
import { appendText, openWal, UUID, walNames, walPath } from './wal-fixture.ts';

/** Three files with the records a1 a2 | b1 b2 | c1 c2. */
async function threeFiles(t: TestContext): Promise<string> {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    await appendText(wal, `${name}1`, BigInt(i * 10));
    await appendText(wal, `${name}2`, BigInt(i * 10 + 1));
    await wal.rotate();
  }
  await wal.stop();
  return root;
}

const texts = (records: readonly { text: string }[]) => records.map((record) => record.text);

test('replay delivers files above the covered one in order, and their periods', async (t) => {
  const root = await threeFiles(t);
  const { replayed, report, wal } = await openWal(root, {}, { afterFileNumber: 1 });
  assert.deepEqual(texts(replayed), ['b1', 'b2', 'c1', 'c2']);
  assert.deepEqual(report, {
    periods: [
      { fileNumber: 2, minTimeNs: 10n, maxTimeNs: 11n, bytes: 128 },
      { fileNumber: 3, minTimeNs: 20n, maxTimeNs: 21n, bytes: 128 },
    ],
    recordCount: 4,
    tornFiles: 0,
    movedAside: [],
    lost: [],
    previous: { fileNumber: 3, recordCount: 2 },
    highestNumber: 3,
  });
  assert.equal(wal.currentFileNumber, 4);
});

test('the next number is above every listed and covered one', async (t) => {
  const root = await temporaryDirectory(t);
  assert.equal((await openWal(root)).wal.currentFileNumber, 1);
  assert.equal((await openWal(root, {}, { afterFileNumber: 41 })).wal.currentFileNumber, 42);
  await writeFile(join(root, 'wal', '00000000050.wal.corrupt'), '');
  assert.equal((await openWal(root, {}, { afterFileNumber: 41 })).wal.currentFileNumber, 51);
});

test('a torn end at any byte keeps the records before it and is repaired', async (t) => {
  const source = await threeFiles(t);
  const whole = await readFile(walPath(source, 3));
  for (let length = 49; length < whole.length; length++) {
    const root = await temporaryDirectory(t);
    await cp(source, root, { recursive: true });
    await writeFile(walPath(root, 3), whole.subarray(0, length));
    const first = await openWal(root, {}, { failOnError: true });
    // record c1 takes bytes 48..82, c2 88..122; the padding behind them carries nothing
    const expected = ['a1', 'a2', 'b1', 'b2', ...(length >= 122 ? ['c1', 'c2'] : length >= 82 ? ['c1'] : [])];
    assert.deepEqual(texts(first.replayed), expected, `${length} bytes`);
    assert.equal(first.wal.currentFileNumber, 4);
    const again = await openWal(root, {}, { failOnError: true });
    assert.deepEqual(texts(again.replayed), texts(first.replayed));
    assert.equal(again.report.tornFiles, 0, 'the first replay repaired it');
  }
});

test('the bytes of a torn end are kept beside the file', async (t) => {
  const root = await threeFiles(t);
  const whole = await readFile(walPath(root, 3));
  await truncate(walPath(root, 3), 96);
  const { report } = await openWal(root);
  assert.equal(report.tornFiles, 1);
  assert.deepEqual(await readFile(`${walPath(root, 3)}.corrupt`), whole.subarray(88, 96));
  assert.equal((await readFile(walPath(root, 3))).length, 88);
});

test('damage inside a record ends its file there, later files are read', async (t) => {
  const root = await threeFiles(t);
  const bytes = await readFile(walPath(root, 1));
  bytes[48 + 40 + 33] = 0xff;
  await writeFile(walPath(root, 1), bytes);
  const { replayed, report } = await openWal(root);
  assert.deepEqual(texts(replayed), ['a1', 'b1', 'b2', 'c1', 'c2']);
  assert.equal(report.tornFiles, 1);
  assert.deepEqual(report.lost, [{ path: walPath(root, 1), reason: 'checksum mismatch' }]);
});

test('changed times or lengths in a record header are found by the checksum', async (t) => {
  for (const offset of [48, 52, 56, 64, 72]) {
    const root = await threeFiles(t);
    const bytes = await readFile(walPath(root, 1));
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    await writeFile(walPath(root, 1), bytes);
    assert.deepEqual(texts((await openWal(root)).replayed), ['b1', 'b2', 'c1', 'c2'], `byte ${offset}`);
  }
});

test('empty, foreign and misplaced files are moved aside and never stop a start', async (t) => {
  const root = await threeFiles(t);
  await writeFile(walPath(root, 4), '');
  await writeFile(walPath(root, 5), 'short');
  await writeFile(walPath(root, 6), Buffer.concat([Buffer.from('idb3.001'), Buffer.alloc(100)]));
  await copyFile(walPath(root, 1), walPath(root, 7));
  await writeFile(join(root, 'wal', 'notes.txt'), 'not ours');
  const { replayed, report, wal } = await openWal(root);
  assert.deepEqual(texts(replayed), ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
  assert.deepEqual(
    report.movedAside,
    [4, 5, 6, 7].map((number) => `${walPath(root, number)}.corrupt`),
  );
  assert.equal(wal.currentFileNumber, 8);
  assert.ok((await walNames(root)).includes('notes.txt'));
  assert.deepEqual((await openWal(root)).report.movedAside, [], 'they are not met again');
});

test('a file of another catalog is not replayed', async (t) => {
  const root = await threeFiles(t);
  const { replayed, report } = await openWal(root, { uuid: UUID.replace('0', 'f') });
  assert.deepEqual(replayed, []);
  assert.equal(report.movedAside.length, 3);
});

test('failOnError stops at damage that no crash explains and changes nothing', async (t) => {
  const root = await threeFiles(t);
  await truncate(walPath(root, 2), 96);
  const before = await readdir(join(root, 'wal'));
  await assert.rejects(openWal(root, {}, { failOnError: true }), { name: 'StartupError', code: 'WAL_CORRUPT' });
  assert.deepEqual(await readdir(join(root, 'wal')), before);
  await writeFile(walPath(root, 3), Buffer.concat([Buffer.from('idb3.001'), Buffer.alloc(100)]));
  await assert.rejects(openWal(root, {}, { failOnError: true, afterFileNumber: 2 }), { code: 'WAL_CORRUPT' });
});

test('a record that cannot be applied stops the start', async (t) => {
  const root = await threeFiles(t);
  const onRecord = () => Promise.reject(new Error('cannot decode'));
  await assert.rejects(openWal(root, {}, { onRecord }), { message: 'cannot decode' });
});

test('many files are replayed in order while later ones are read ahead', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  const expected: string[] = [];
  for (let i = 0; i < 40; i++) {
    expected.push(`record ${i}`);
    await appendText(wal, `record ${i}`);
    await wal.rotate();
  }
  await wal.stop();
  assert.deepEqual(texts((await openWal(root)).replayed), expected);
});

test('zeros written ahead of the records end a file without being damage, and a closed file has none', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  const texts = Array.from({ length: 6 }, (_, i) => `record ${i}`);
  for (const text of texts) await appendText(wal, text);
  const crashed = await readFile(walPath(root, 1));
  assert.ok(crashed.length > 64 * 1024, 'the file was not reserved');
  await wal.stop();
  const closed = await readFile(walPath(root, 1));
  assert.ok(closed.length < 1024 && crashed.subarray(0, closed.length).equals(closed));

  await writeFile(walPath(root, 1), crashed);
  const { replayed, report } = await openWal(root);
  assert.deepEqual(
    replayed.map((record) => record.text),
    texts,
  );
  assert.deepEqual([report.tornFiles, report.movedAside.length, report.periods[0]?.bytes], [0, 0, closed.length]);
});

test('a torn record in the zeros written ahead is dropped like any other torn end', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  for (let i = 0; i < 6; i++) await appendText(wal, `record ${i}`);
  const crashed = await readFile(walPath(root, 1));
  await wal.stop();
  const end = (await readFile(walPath(root, 1))).length;
  crashed[end + 40] = 7; // the body came, the header did not
  await writeFile(walPath(root, 1), crashed);
  const { replayed, report } = await openWal(root);
  assert.equal(replayed.length, 6);
  assert.equal(report.tornFiles, 1);
});

test('a file of a later version refuses the start with its path and stays as it is; a damaged name of a known version does not', async (t) => {
  const root = await threeFiles(t);
  const whole = await readFile(walPath(root, 2));
  const later = Buffer.from(whole);
  later.write('i3ts-wa9', 'latin1');
  later.writeUInt32LE(7, 44); // a checksum of its own
  await writeFile(walPath(root, 2), later);
  await assert.rejects(openWal(root), (error: Error & { code?: string }) => {
    return error.code === 'WAL_LATER_VERSION' && error.message.startsWith(`WAL file '${walPath(root, 2)}' was written by a later version`);
  });
  assert.deepEqual(await readFile(walPath(root, 2)), later);
  const damaged = Buffer.from(whole);
  damaged.write('i3ts-wa9', 'latin1');
  await writeFile(walPath(root, 2), damaged);
  const { replayed, report } = await openWal(root);
  assert.deepEqual(texts(replayed), ['a1', 'a2', 'c1', 'c2']);
  assert.equal(report.lost.length, 1);
});
