// Runs alone: replaces the functions of node:path in its process.
import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { PathTraversal, pathInside } from '../../../src/processing/plugins/plugin-path.ts';
import type { FileSystem, OpenFile } from '../../../src/storage/file-system.ts';
import { DirectoryObjectStore } from '../../../src/storage/objects/directory-object-store.ts';
import { encodePathPart } from '../../../src/storage/path-part.ts';
import { refuseWindowsName } from '../../../src/storage/windows-names.ts';
import { configOf } from '../config/support.ts';

const POSIX = { ...path.posix };

/** Every import of node:path gets the functions of Windows from here on. */
Object.assign(path, path.win32);
syncBuiltinESMExports();
after(() => {
  Object.assign(path, POSIX);
  syncBuiltinESMExports();
});

/** Files by their paths, of Windows. What the tests do not need is missing, and would fail by name. */
class WindowsFiles implements Partial<FileSystem> {
  readonly files = new Map<string, Uint8Array>();

  async open(name: string): Promise<OpenFile> {
    const file = {
      writev: async (parts: readonly Uint8Array[]) => void this.files.set(name, Buffer.concat(parts)),
      datasync: async () => undefined,
      close: async () => undefined,
    };
    return file as unknown as OpenFile;
  }

  async rename(from: string, to: string): Promise<void> {
    const bytes = this.files.get(from);
    assert.ok(bytes !== undefined, from);
    this.files.delete(from);
    this.files.set(to, bytes);
  }

  async link(from: string, to: string): Promise<void> {
    if (this.files.has(to)) throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' });
    this.files.set(to, this.files.get(from) as Uint8Array);
  }

  async unlink(name: string): Promise<void> {
    if (!this.files.delete(name)) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  }

  async syncDirectory(): Promise<void> {}

  async entries(folder: string): Promise<{ readonly name: string; readonly isDirectory: boolean }[]> {
    const below = [...this.files.keys()].filter((name) => name.startsWith(`${folder}\\`)).map((name) => name.slice(folder.length + 1));
    return [...new Set(below.map((name) => name.split('\\')[0] as string))].map((name) => ({ name, isDirectory: !below.includes(name) }));
  }
}

describe('paths of Windows', () => {
  test('keys of objects have slashes, their files backslashes', async () => {
    const fs = new WindowsFiles();
    const store = new DirectoryObjectStore(fs as unknown as FileSystem, 'C:\\data\\node0');
    await store.put('snapshots/0000000001.json', Buffer.from('1'), 'overwrite');
    await store.put('catalog/v3/logs/2.catalog', Buffer.from('2'), 'create');
    await store.put('catalog/v3/logs/10.catalog', Buffer.from('3'), 'create');
    await store.move('catalog/v3/logs/2.catalog', 'catalog/v3/old.catalog');
    assert.deepEqual([...fs.files.keys()].sort(), [
      'C:\\data\\node0\\catalog\\v3\\logs\\10.catalog',
      'C:\\data\\node0\\catalog\\v3\\old.catalog',
      'C:\\data\\node0\\snapshots\\0000000001.json',
    ]);
    const keys: string[] = [];
    for await (const key of store.list('catalog/v3/')) keys.push(key);
    assert.deepEqual(keys, ['catalog/v3/logs/10.catalog', 'catalog/v3/old.catalog']);
    await store.delete(keys);
    assert.equal(fs.files.size, 1);
  });

  test('directories of options are those of the drive, and default to the home directory', () => {
    const facts = { homeDir: 'C:\\Users\\ann', cwd: 'C:\\work' };
    const dataDir = (flags: Record<string, string>): string | undefined => configOf(flags, {}, { facts }).store.dataDir;
    assert.equal(dataDir({}), 'C:\\Users\\ann\\.influxdb3');
    assert.equal(dataDir({ 'data-dir': 'D:\\influx data' }), 'D:\\influx data');
    assert.equal(dataDir({ 'data-dir': 'D:/influx' }), 'D:\\influx');
    assert.equal(dataDir({ 'data-dir': '..\\other' }), 'C:\\other');
    assert.equal(dataDir({ 'data-dir': '\\\\server\\share\\influx' }), '\\\\server\\share\\influx');
  });

  test('names of plugins cannot leave their directory by a drive, a share or a backslash', async () => {
    for (const name of ['..\\x.py', 'a\\..\\..\\x.py', 'C:\\x.py', 'C:x.py', '\\\\server\\share\\x.py', '\\x.py'])
      await assert.rejects(pathInside('C:\\plugins', name), PathTraversal, name);
  });

  test('a node id that Windows has no directory for is refused there, with the reason', () => {
    for (const [nodeId, reason] of [
      ['NUL', 'is the name of a device'],
      ['com1.lab', 'is the name of a device'],
      ['C:x', 'has a colon'],
      ['node.', 'ends with a dot or a blank'],
      ['node ', 'ends with a dot or a blank'],
    ] as const) {
      const expected = `Serve command failed: node id '${nodeId}' ${reason}, and Windows has no directory of such a name; choose another --node-id`;
      assert.throws(() => refuseWindowsName(encodePathPart(nodeId), 'win32'), { message: expected });
      refuseWindowsName(encodePathPart(nodeId), 'linux');
    }
    for (const nodeId of ['node0', 'DESKTOP-1', 'console', 'a\\b', 'x/y', 'a*b?', 'größe'])
      refuseWindowsName(encodePathPart(nodeId), 'win32');
  });
});
