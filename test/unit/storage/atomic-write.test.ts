import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { atomicWrite, createExclusive, keepAside, moveAside, nodeFileSystem, removeTemporaryFiles } from '../../../src/storage/index.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';
import { temporaryDirectory } from './temp-directory.ts';

test('atomicWrite leaves the old or the new content whichever operation fails', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'file');
  for (let at = 0; at < 6; at++) {
    await writeFile(path, 'old');
    const fs = new FaultyFileSystem(nodeFileSystem, { at, dead: true, code: 'EIO' });
    const outcome = await atomicWrite(fs, path, Buffer.from('new content')).then(
      () => 'done',
      () => 'failed',
    );
    const content = await readFile(path, 'utf8');
    assert.ok(content === 'old' || content === 'new content', `operation ${at} left '${content}'`);
    if (outcome === 'done') assert.equal(content, 'new content');
  }
});

test('atomicWrite syncs the file before the rename and the directory after it', async (t) => {
  const directory = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  await atomicWrite(fs, join(directory, 'file'), Buffer.from('x'));
  assert.deepEqual(fs.operations, ['open', 'writev', 'datasync', 'rename', 'syncDirectory']);
  assert.deepEqual(await readdir(directory), ['file']);
});

test('createExclusive refuses an existing file and leaves it as it is', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'file');
  await createExclusive(nodeFileSystem, path, Buffer.from('first'));
  await assert.rejects(createExclusive(nodeFileSystem, path, Buffer.from('second')), { code: 'EEXIST' });
  assert.equal(await readFile(path, 'utf8'), 'first');
  assert.deepEqual(await readdir(directory), ['file']);
});

test('createExclusive works on file systems without hard links', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'file');
  const fs = new FaultyFileSystem(nodeFileSystem);
  fs.failNext('link', 'EPERM');
  await createExclusive(fs, path, Buffer.from('first'));
  assert.equal(await readFile(path, 'utf8'), 'first');
  fs.failNext('link', 'EPERM');
  await assert.rejects(createExclusive(fs, path, Buffer.from('second')), { code: 'EEXIST' });
  assert.equal(await readFile(path, 'utf8'), 'first');
});

test('createExclusive never shows a half-written file', async (t) => {
  const directory = await temporaryDirectory(t);
  for (let at = 0; at < 6; at++) {
    const path = join(directory, `file-${at}`);
    const fs = new FaultyFileSystem(nodeFileSystem, { at, dead: true, code: 'ENOSPC' });
    await createExclusive(fs, path, Buffer.from('complete')).catch(() => undefined);
    const content = await readFile(path, 'utf8').catch(() => 'absent');
    assert.ok(content === 'absent' || content === 'complete', `operation ${at} left '${content}'`);
  }
});

test('files moved or kept aside never overwrite each other', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'a.wal');
  for (const content of ['1', '2']) {
    await writeFile(path, content);
    await moveAside(nodeFileSystem, path);
  }
  await keepAside(nodeFileSystem, path, Buffer.from('3'));
  assert.deepEqual((await readdir(directory)).sort(), ['a.wal.corrupt', 'a.wal.corrupt.1', 'a.wal.corrupt.2']);
  assert.equal(await readFile(`${path}.corrupt.1`, 'utf8'), '2');
  assert.equal(await readFile(`${path}.corrupt.2`, 'utf8'), '3');
});

test('temporary files of dead writers are removed, others stay', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'a.tmp'), '');
  await writeFile(join(directory, 'b'), '');
  await removeTemporaryFiles(nodeFileSystem, directory);
  assert.deepEqual(await readdir(directory), ['b']);
});

test('a short write is continued until all parts are written', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'many');
  const parts = Array.from({ length: 3000 }, (_, i) => Buffer.from(String(i % 10)));
  const file = await nodeFileSystem.open(path, 'create');
  await file.writev(parts, 0);
  await file.close();
  assert.equal(await readFile(path, 'utf8'), parts.join(''));
});

test('a missing directory lists no names', async (t) => {
  const directory = await temporaryDirectory(t);
  assert.deepEqual(await nodeFileSystem.readdir(join(directory, 'nothing')), []);
});
