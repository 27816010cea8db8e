import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type FileSystem, nodeFileSystem } from '../../../../src/storage/index.ts';
import type { WalPeriod } from '../../../../src/write/wal/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { FakeTime } from '../../../support/fake-time.ts';
import { until } from '../../../support/until.ts';
import { FaultyFileSystem } from '../../storage/faulty-file-system.ts';
import { temporaryDirectory } from '../../storage/temp-directory.ts';
import { appendText, GatedFileSystem, openWal, walNames, walPath } from './wal-fixture.ts';

test('a lone record is synced at once, with its directory, before it is acknowledged', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const { wal } = await openWal(root, { fs });
  fs.operations.length = 0;
  await appendText(wal, 'first');
  assert.deepEqual(fs.operations, ['open', 'writev', 'datasync', 'syncDirectory']);
  await appendText(wal, 'second');
  assert.deepEqual(fs.operations.slice(4), ['writev', 'datasync']);
  await wal.stop();
  const { replayed } = await openWal(root);
  assert.deepEqual(
    replayed.map((record) => record.text),
    ['first', 'second'],
  );
});

test('records that wait while the disk is busy share one sync and settle in order', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new GatedFileSystem();
  const { wal } = await openWal(root, { fs });
  const events: string[] = [];
  const append = (name: string): Promise<number> =>
    wal.append(Buffer.from(name), 0n, 0n, () => events.push(`durable ${name}`)).then(() => events.push(`resolved ${name}`));
  const appends = [append('a')];
  await until(() => fs.waiting.length === 1);
  appends.push(append('b'), append('c'), append('d'));
  assert.equal(wal.totals.queuedRecords, 4);
  assert.deepEqual(events, []);
  fs.releaseOne();
  await until(() => fs.waiting.length === 1);
  assert.deepEqual(events, ['durable a', 'resolved a']);
  fs.openGate();
  await Promise.all(appends);
  assert.equal(fs.syncCount, 2);
  assert.deepEqual(events.slice(2), ['durable b', 'durable c', 'durable d', 'resolved b', 'resolved c', 'resolved d']);
  assert.equal(wal.totals.queuedRecords, 0);
  await wal.stop();
});

test('records that are appended in one turn of the event loop share the first sync', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new GatedFileSystem();
  fs.openGate();
  const { wal } = await openWal(root, { fs });
  await Promise.all(['a', 'b', 'c'].map((name) => appendText(wal, name)));
  assert.equal(fs.syncCount, 1);
  await wal.stop();
});

test('the disk is at work again before the records of the last sync are completed', async (t) => {
  const root = await temporaryDirectory(t);
  let writes = 0;
  const othersWait = deferred();
  const fs: FileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      return {
        writev: async (parts, position) => {
          writes++;
          await othersWait.promise;
          return file.writev(parts, position);
        },
        datasync: () => file.datasync(),
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
      };
    },
  };
  const { wal } = await openWal(root, { fs });
  const seen: number[] = [];
  const append = (name: string): Promise<void> => wal.append(Buffer.from(name), 0n, 0n, () => seen.push(writes));
  const appends = [append('a')];
  await until(() => writes === 1);
  appends.push(append('b'), append('c'));
  othersWait.resolve();
  await Promise.all(appends);
  assert.deepEqual(seen, [2, 2, 2]); // the second write began before a was completed
  await wal.stop();
});

test('file bodies are framed with own magic and 8-byte aligned, bodies come back', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  await wal.append(Buffer.from('abcde'), -5n, 7n, () => undefined);
  await wal.append(Buffer.from('12345678'), 1n, 2n, () => undefined);
  await wal.stop();
  const bytes = await readFile(walPath(root, 1));
  assert.equal(bytes.toString('latin1', 0, 8), 'i3ts-wa2');
  assert.equal(bytes.length % 8, 0);
  const seen: unknown[] = [];
  await openWal(
    root,
    {},
    {
      onRecord: (file, body, min, max) => {
        seen.push([file, Buffer.from(body).toString(), min, max, body.byteOffset % 8]);
      },
    },
  );
  assert.deepEqual(seen, [
    [1, 'abcde', -5n, 7n, 0],
    [1, '12345678', 1n, 2n, 0],
  ]);
});

test('a period ends with the timer, is reported after its last record, and idle arms no timer', async (t) => {
  const root = await temporaryDirectory(t);
  const time = new FakeTime();
  const { wal } = await openWal(root, { clock: time, timers: time });
  const periods: WalPeriod[] = [];
  wal.onPeriodClosed((period) => periods.push(period));
  assert.equal(time.pendingTimers, 0);
  await wal.append(Buffer.from('x'), 5n, 9n, () => undefined);
  await wal.append(Buffer.from('y'), 3n, 4n, () => undefined);
  assert.equal(time.pendingTimers, 1);
  time.pass(1000);
  await until(() => periods.length === 1);
  assert.deepEqual(periods, [{ fileNumber: 1, minTimeNs: 3n, maxTimeNs: 9n, bytes: 48 + 2 * 40 }]);
  assert.equal(time.pendingTimers, 0);
  assert.equal(wal.currentFileNumber, 2);
  await wal.rotate();
  assert.equal(wal.currentFileNumber, 2, 'an empty period stays open');
  await appendText(wal, 'z');
  await wal.stop();
  assert.equal(time.pendingTimers, 0);
  assert.deepEqual(await walNames(root), ['00000000001.wal', '00000000002.wal']);
});

test('a late timer does not stretch a period: asking for the current file rotates', async (t) => {
  const root = await temporaryDirectory(t);
  const time = new FakeTime();
  const { wal } = await openWal(root, { clock: time, timers: time });
  await appendText(wal, 'a');
  assert.equal(wal.currentFileNumber, 1);
  time.advanceClock(1000);
  assert.equal(wal.currentFileNumber, 2);
  await appendText(wal, 'b');
  await wal.stop();
  const { replayed } = await openWal(root);
  assert.deepEqual(replayed, [
    { file: 1, text: 'a' },
    { file: 2, text: 'b' },
  ]);
});

test('a record lands in the file that it was encoded for, however long that took', async (t) => {
  const root = await temporaryDirectory(t);
  const time = new FakeTime();
  const { wal } = await openWal(root, { clock: time, timers: time });
  await appendText(wal, 'a');
  const encode = (fileNumber: number): Uint8Array => {
    time.advanceClock(5000);
    return Buffer.from(`for ${fileNumber}`);
  };
  let durable = '';
  await wal.append(encode, 0n, 0n, (body) => {
    durable = Buffer.from(body).toString();
  });
  assert.equal(durable, 'for 1');
  await wal.append(encode, 0n, 0n, () => undefined);
  await wal.stop();
  const { replayed } = await openWal(root);
  assert.deepEqual(replayed.slice(1), [
    { file: 1, text: 'for 1' },
    { file: 2, text: 'for 2' },
  ]);
});

test('a record whose encoding fails ends its file, and one that is refused is never encoded', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  const failing = (): Uint8Array => {
    throw new Error('cannot encode');
  };
  await appendText(wal, 'a');
  await assert.rejects(
    wal.append(failing, 0n, 0n, () => assert.fail('durable')),
    /cannot encode/,
  );
  assert.equal(wal.currentFileNumber, 2);
  await appendText(wal, 'b');
  await wal.stop();
  await assert.rejects(
    wal.append(failing, 0n, 0n, () => assert.fail('durable')),
    { code: 'WAL_SHUTDOWN' },
  );
  const { replayed } = await openWal(root);
  assert.deepEqual(replayed, [
    { file: 1, text: 'a' },
    { file: 2, text: 'b' },
  ]);
});

test('a file that reaches its size limit is followed by the next', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root, { fileBytesMax: 150 });
  const periods: number[] = [];
  wal.onPeriodClosed((period) => periods.push(period.fileNumber));
  await Promise.all(Array.from({ length: 10 }, (_, i) => appendText(wal, `${i}`.repeat(50))));
  await wal.stop();
  assert.deepEqual(periods, [1, 2, 3, 4, 5]);
  const { replayed } = await openWal(root);
  assert.deepEqual(
    replayed.map(({ file, text }) => [file, text[0]]),
    Array.from({ length: 10 }, (_, i) => [(i >> 1) + 1, `${i}`]),
  );
});

test('over maxBufferedWrites appends fail with the exact text, before anything is encoded for the file', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new GatedFileSystem();
  const { wal } = await openWal(root, { fs, maxBufferedWrites: 2 });
  const waiting = [appendText(wal, 'a'), appendText(wal, 'b')];
  await assert.rejects(appendText(wal, 'c'), {
    message: 'write buffer error: error from wal: wal buffer full with 2 ops',
    status: 500,
    code: 'WAL_BUFFER_FULL',
  });
  await assert.rejects(
    wal.append(
      () => assert.fail('encoded'),
      0n,
      0n,
      () => undefined,
    ),
    { code: 'WAL_BUFFER_FULL' },
  );
  assert.equal(wal.currentFileNumber, 1);
  fs.openGate();
  await Promise.all(waiting);
  await appendText(wal, 'd');
  await wal.stop();
  assert.deepEqual(
    (await openWal(root)).replayed.map((record) => record.text),
    ['a', 'b', 'd'],
  );
});

test('whenRoom holds back while too many bytes wait', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new GatedFileSystem();
  const { wal } = await openWal(root, { fs, queuedBytesMax: 100 });
  await wal.whenRoom();
  const append = appendText(wal, 'x'.repeat(100));
  let hasRoom = false;
  const room = wal.whenRoom().then(() => {
    hasRoom = true;
  });
  await until(() => fs.waiting.length === 1);
  assert.equal(hasRoom, false);
  fs.openGate();
  await append;
  await room;
  assert.equal(wal.totals.queuedBytes, 0);
  await wal.stop();
});

test('stop makes waiting records durable and then refuses with the exact text', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  const periods: number[] = [];
  wal.onPeriodClosed((period) => periods.push(period.fileNumber));
  const appends = [appendText(wal, 'a'), appendText(wal, 'b')];
  await wal.stop();
  await Promise.all(appends);
  assert.deepEqual(periods, [1]);
  await assert.rejects(appendText(wal, 'c'), {
    message: 'write buffer error: error from wal: wal is shutdown and not accepting writes',
    status: 500,
  });
  await wal.stop();
});

test('without durability there are no files but the same callbacks and periods', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const { wal } = await openWal(root, { fs, durability: 'none' }, { afterFileNumber: 4 });
  const events: unknown[] = [];
  wal.onPeriodClosed((period) => events.push(period.fileNumber));
  const append = wal.append(Buffer.from('a'), 1n, 1n, () => events.push('durable'));
  assert.deepEqual(events, [], 'callbacks never run inside append');
  await append;
  await wal.rotate();
  assert.deepEqual(events, ['durable', 5]);
  await wal.deleteCovered(5, 0);
  await wal.stop();
  assert.deepEqual(fs.operations, []);
});

test('a throwing callback fails its own append only', async (t) => {
  const root = await temporaryDirectory(t);
  const { wal } = await openWal(root);
  const bad = wal.append(Buffer.from('a'), 0n, 0n, () => {
    throw new Error('broken');
  });
  const good = appendText(wal, 'b');
  await assert.rejects(bad, { message: 'broken' });
  await good;
  await wal.stop();
});

test('covered files are deleted but for the newest, and a failed delete is tried again', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const { wal } = await openWal(root, { fs });
  for (let i = 0; i < 6; i++) {
    await appendText(wal, `${i}`);
    await wal.rotate();
  }
  fs.failNext('unlink', 'EACCES');
  await wal.deleteCovered(5, 2);
  assert.equal(wal.totals.failedDeletes, 1);
  assert.equal((await walNames(root)).length, 4);
  await wal.deleteCovered(5, 2);
  assert.deepEqual(await walNames(root), ['00000000004.wal', '00000000005.wal', '00000000006.wal']);
  await wal.stop();
});
