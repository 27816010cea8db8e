import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { BackupSessions } from '../../../src/backup/sessions.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { until } from '../../support/until.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

it('a moment is held as long as a file of it moves, and let go with the file when its reader takes nothing any more', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  const time = new FakeTime();
  let held = 0;
  const pin = async (): ReturnType<typeof store.writes.pin> => {
    const moment = await store.writes.pin();
    held++;
    const release = (): void => {
      held--;
      moment.release();
    };
    return { ...moment, release };
  };
  const sessions = new BackupSessions({ pin, nodeId: 'test', version: '1', clock: time, timers: time, logger: silentLogger });
  try {
    const text = 'x'.repeat(1000);
    for (let i = 0; i < 4; i++)
      await store.write('db', Array.from({ length: 1000 }, (_, row) => `m s="${text}" ${i * 1000 + row}`).join('\n'));
    const { id, files } = await sessions.begin();
    const path = files.find((file) => file.path.startsWith('wal/'))?.path ?? '';
    const { body, sizeBytes } = sessions.read(id, path);
    const failed = once(body, 'error');
    let taken = 0;
    for (let step = 0; step < 3; step++) {
      const piece = await until(() => (body.read() as Buffer | null) ?? undefined);
      taken += piece.length;
      await until(() => body.readableLength > 0); // what is read ahead counts
      await time.advance(400_000);
      assert.equal(held, 1, `after piece ${step}`);
    }
    assert.ok(taken < sizeBytes);
    await time.advance(400_000);
    assert.equal(held, 0);
    assert.match(String(await failed), /nobody takes the file/);
    assert.throws(() => sessions.read(id, path), { code: 'NO_SUCH_BACKUP' });
  } finally {
    sessions.stop();
    await store.stop();
  }
});
