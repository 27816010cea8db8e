import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { PluginFiles, type PluginFilesOptions } from '../../../src/processing/plugins/plugin-files.ts';
import { temporaryDirectory } from '../storage/temp-directory.ts';

const ENTRY = '__init__.py';

/** A plugin directory with one trigger, `t` of database `db`. */
function pluginFiles(directory: string, pluginFilename = 'pkg/'): PluginFiles {
  const catalog = { databases: () => [{ name: 'db' }], triggers: () => [{ name: 't', pluginFilename }] };
  return new PluginFiles({ directory, catalog: catalog as unknown as PluginFilesOptions['catalog'] });
}

async function put(...[directory, name, text]: readonly [string, string, string]): Promise<void> {
  await mkdir(dirname(join(directory, name)), { recursive: true });
  await writeFile(join(directory, name), text);
}

describe('files of plugins', () => {
  it('are the old ones after a crash between the two steps in which a directory takes the place of another', async (t) => {
    const directory = await temporaryDirectory(t);
    await put(directory, `pkg.old/${ENTRY}`, 'old');
    await put(directory, `pkg.tmp/${ENTRY}`, 'new');
    await pluginFiles(directory).recover();
    assert.deepEqual(await readdir(directory), ['pkg']);
    assert.equal(await readFile(join(directory, 'pkg', ENTRY), 'utf8'), 'old');
  });

  it('are left alone where no replacement was cut off', async (t) => {
    const directory = await temporaryDirectory(t);
    await put(directory, `pkg.old/${ENTRY}`, 'put aside by somebody');
    await pluginFiles(directory).recover();
    assert.deepEqual(await readdir(directory), ['pkg.old']);
    await put(directory, `pkg/${ENTRY}`, 'there');
    await put(directory, `pkg.tmp/${ENTRY}`, 'half');
    await pluginFiles(directory).recover();
    assert.equal(await readFile(join(directory, 'pkg', ENTRY), 'utf8'), 'there');
  });

  it('are not replaced as a whole where the plugin is the plugin directory, which has those of other triggers too', async (t) => {
    const directory = await temporaryDirectory(t);
    await put(directory, ENTRY, 'of a trigger');
    await put(directory, 'other.py', 'of another one');
    for (const name of ['.', './', '']) {
      const replaced = pluginFiles(directory, name).replaceDirectory('t', 'db', [{ relativePath: ENTRY, content: 'new' }]);
      await assert.rejects(replaced, /the plugin of trigger t is the plugin directory itself/);
    }
    assert.deepEqual((await readdir(directory)).sort(), [ENTRY, 'other.py']);
  });

  it('are changed one after the other, also those of a directory that is being replaced', async (t) => {
    const directory = await temporaryDirectory(t);
    await put(directory, `pkg/${ENTRY}`, 'first');
    const files = pluginFiles(directory);
    for (let n = 0; n < 5; n++) {
      await Promise.all([
        files.replaceDirectory('t', 'db', [{ relativePath: ENTRY, content: `${n}` }]),
        files.upload('pkg/deep/part.py', `part ${n}`),
        files.updateFile('t', 'db', `entry ${n}`),
      ]);
      assert.deepEqual((await readdir(directory)).sort(), ['pkg']);
      assert.deepEqual((await readdir(join(directory, 'pkg'))).sort(), [ENTRY, 'deep']);
      assert.equal(await readFile(join(directory, 'pkg', ENTRY), 'utf8'), `entry ${n}`);
    }
  });
});
