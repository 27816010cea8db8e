import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../../src/shared/logger.ts';
import { encodePathPart, openStore, StorageStartupError } from '../../../src/storage/index.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { temporaryDirectory } from './temp-directory.ts';

const STORE_MODULE = new URL('../../../src/storage/index.js', import.meta.url).href;

/** A second process that holds the store until it is killed. */
async function holdInOtherProcess(dataDir: string): Promise<{ pid: number; kill: () => Promise<void> }> {
  const script = `import { openStore } from ${JSON.stringify(STORE_MODULE)};
    await openStore({ kind: 'file', dataDir: process.argv[1], nodeId: 'n' });
    setInterval(() => {}, 1000);
    console.log('held');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  assert.ok(child.pid !== undefined);
  return { pid: child.pid, kill };
}

test('a file store creates its directory and can be opened again after close', async (t) => {
  const dataDir = join(await temporaryDirectory(t), 'deep', 'data');
  for (let i = 0; i < 2; i++) {
    const store = await openStore({ kind: 'file', dataDir, nodeId: 'node 1' });
    assert.equal(store.root, join(dataDir, 'node 1'));
    await store.close();
    await store.close();
  }
});

test('a second store on the same directory is refused at once', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const store = await openStore({ kind: 'file', dataDir, nodeId: 'n' });
  t.after(() => store.close());
  await assert.rejects(openStore({ kind: 'file', dataDir, nodeId: 'n' }), { name: 'StartupError', code: 'DATA_DIR_IN_USE' });
  const other = await openStore({ kind: 'file', dataDir, nodeId: 'other' });
  await other.close();
});

test('a second process is refused with the directory and the pid, and a killed one releases the lock', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const holder = await holdInOtherProcess(dataDir);
  const open = () => openStore({ kind: 'file', dataDir, nodeId: 'n' });
  await assert.rejects(open(), (error: unknown) => {
    assert.ok(error instanceof StorageStartupError);
    assert.equal(
      error.message,
      `directory '${join(dataDir, 'n')}' is in use by another influxdb3 process (pid ${holder.pid}); ` +
        'stop it, or choose another --node-id or --data-dir',
    );
    return true;
  });
  await holder.kill();
  const store = await open();
  await store.close();
});

test('who meets another server in the cache of a bucket hears of the option that says where the cache is', async (t) => {
  const cacheDir = await temporaryDirectory(t);
  const bucket = { kind: 'bucket', nodeId: 'n', open: async () => new MemoryObjectStore(), cacheBytesMax: 1, log: silentLogger } as const;
  const store = await openStore({ ...bucket, cacheDir });
  t.after(() => store.close());
  await assert.rejects(openStore({ ...bucket, cacheDir }), {
    message: /is in use by .*; stop it, or choose another --node-id or --file-cache-dir$/,
  });
  await writeFile(join(cacheDir, 'file'), '');
  await assert.rejects(openStore({ ...bucket, cacheDir: join(cacheDir, 'file') }), {
    message: /^cannot use cache directory .*, or choose another --file-cache-dir$/,
  });
});

test('a directory with a very long path can be locked', async (t) => {
  const dataDir = join(await temporaryDirectory(t), 'x'.repeat(120), 'y'.repeat(120));
  const store = await openStore({ kind: 'file', dataDir, nodeId: 'n' });
  await assert.rejects(openStore({ kind: 'file', dataDir, nodeId: 'n' }), { code: 'DATA_DIR_IN_USE' });
  await store.close();
  await (await openStore({ kind: 'file', dataDir, nodeId: 'n' })).close();
});

test('an unusable data directory is one clear error', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'file');
  await writeFile(file, '');
  await assert.rejects(openStore({ kind: 'file', dataDir: file, nodeId: 'n' }), (error: unknown) => {
    assert.ok(error instanceof StorageStartupError);
    assert.equal(error.code, 'DATA_DIR_UNUSABLE');
    assert.match(
      error.message,
      /^cannot use data directory '.*file\/n': ENOTDIR.*; make it writable for this user, or choose another --data-dir$/,
    );
    return true;
  });
});

test('a read-only data directory is one clear error', async (t) => {
  const directory = join(await temporaryDirectory(t), 'data');
  await mkdir(join(directory, 'n'), { recursive: true });
  await chmod(join(directory, 'n'), 0o500);
  const opened = openStore({ kind: 'file', dataDir: directory, nodeId: 'n' });
  if (process.getuid?.() === 0)
    await (await opened).close(); // permission bits do not bind root
  else await assert.rejects(opened, { code: 'DATA_DIR_UNUSABLE' });
});

test('a memory store lives in a private directory that close removes', async () => {
  const store = await openStore({ kind: 'memory', nodeId: 'n' });
  assert.equal(store.durable, false);
  assert.equal((await stat(dirname(store.root))).mode & 0o077, 0);
  await store.close();
  await assert.rejects(stat(dirname(store.root)), { code: 'ENOENT' });
});

test('what a killed memory store left is removed at the next start, living ones stay', async () => {
  const living = await openStore({ kind: 'memory', nodeId: 'n' });
  const base = dirname(dirname(living.root));
  const leftover = join(base, 'influxdb3-memory-left-over');
  const beingSetUp = join(base, 'influxdb3-memory-set-up');
  await mkdir(leftover, { recursive: true });
  await mkdir(beingSetUp, { recursive: true });
  await utimes(leftover, 1, 1);
  const store = await openStore({ kind: 'memory', nodeId: 'n' });
  const names = await readdir(base);
  assert.ok(!names.includes('influxdb3-memory-left-over'));
  assert.ok(names.includes('influxdb3-memory-set-up'));
  assert.ok((await stat(living.root)).isDirectory());
  await utimes(beingSetUp, 1, 1);
  await (await openStore({ kind: 'memory', nodeId: 'n' })).close();
  await store.close();
  await living.close();
});

test('node ids become object path parts', () => {
  assert.equal(encodePathPart('host-1_a.b'), 'host-1_a.b');
  assert.equal(encodePathPart('..'), '%2E%2E');
  assert.equal(encodePathPart('.'), '%2E');
  assert.equal(encodePathPart('a/b%c'), 'a%2Fb%25c');
  assert.equal(encodePathPart('é'), '%C3%A9');
});
