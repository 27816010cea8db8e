import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeFileSystem } from '../../../src/storage/index.ts';

describe('files whose every write is synced (storage 3)', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'synced-writes-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('writes where it is told, also after a cut', async () => {
    const path = join(directory, 'a');
    const file = await nodeFileSystem.open(path, 'create', 'sync-each-write');
    await file.writev([Buffer.from('one '), Buffer.from('two ')], 0);
    await file.datasync();
    await file.writev([Buffer.from('three')], 8);
    await file.datasync();
    await file.truncate(8);
    await file.datasync();
    await file.writev([Buffer.from('3')], 8);
    await file.close();
    assert.equal(readFileSync(path, 'utf8'), 'one two 3');
  });

  it('does not take over an existing file', async () => {
    const path = join(directory, 'b');
    await (await nodeFileSystem.open(path, 'create', 'sync-each-write')).close();
    await assert.rejects(nodeFileSystem.open(path, 'create', 'sync-each-write'), { code: 'EEXIST' });
  });

  it('on Linux the system makes each write durable before it returns', { skip: process.platform !== 'linux' }, async () => {
    const path = join(directory, 'c');
    const file = await nodeFileSystem.open(path, 'create', 'sync-each-write');
    const descriptor = readdirSync('/proc/self/fd').find((name) => linkOf(name) === path);
    const flags = Number.parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1] ?? '', 8);
    await file.close();
    const dataSync = 0o10000;
    assert.equal(flags & dataSync, dataSync);
  });
});

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ''; // closed meanwhile
  }
}
