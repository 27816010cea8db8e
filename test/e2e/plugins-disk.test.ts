import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';
import { canMount, fill, reason, smallDisk } from '../support/small-disk.ts';

const FULL = /^Processing engine error: plugin error: ENOSPC: no space left on device/;
const ANSWERS = `
import sys
def process_request(influxdb3_local, q, h, b, args=None):
    return sys.prefix
`;

test(`a full disk refuses plugin files and Python packages with its reason, leaves what was there, and takes them when there is room${reason}`, {
  skip: !canMount,
}, async (t) => {
  const plugins = await PluginServer.start(t, { 'one.py': ANSWERS, 'pkg/__init__.py': ANSWERS }, { pluginDir: smallDisk(t) });
  await plugins.server.writeOk('db', 'cpu v=1');
  await plugins.created({ name: 'single', plugin: 'one.py', spec: 'request:single' });
  await plugins.created({ name: 'multi', plugin: 'pkg', spec: 'request:multi' });
  const answer = async (path: string): Promise<string> => (await fetch(`${plugins.server.url}/api/v3/engine/${path}`)).text();
  const system = await answer('single');
  const names = (): string[] =>
    readdirSync(plugins.pluginDir, { recursive: true })
      .map(String)
      .filter((name) => !name.startsWith('.venv'))
      .sort();

  const ballast = fill(plugins.pluginDir, 2 * 1024 * 1024);
  const large = `${ANSWERS}# ${'x'.repeat(3 * 1024 * 1024)}\n`;
  const changes: readonly [method: string, path: string, body: object][] = [
    ['POST', 'files', { plugin_name: 'new/deep.py', content: large }],
    ['PUT', 'files', { plugin_name: 'single', content: large }],
    ['PUT', 'directory', { plugin_name: 'multi', files: [{ relative_path: '__init__.py', content: large }] }],
  ];
  for (const [method, path, body] of changes) {
    const { status, text } = await plugins.request(method, `/api/v3/plugins/${path}`, body);
    assert.equal(status, 500);
    assert.match(text, FULL);
  }
  const install = '/api/v3/configure/plugin_environment/install_packages';
  const refused = await plugins.request('POST', install, { packages: ['./none.whl'] });
  assert.equal(refused.status, 500);
  assert.match(refused.text, /^Processing engine error: error installing python packages: Plugin environment management is disabled: /);
  assert.deepEqual(names(), ['ballast', 'new', 'one.py', 'pkg', 'pkg/__init__.py'], 'no file is there in part');
  for (const path of ['single', 'multi']) assert.equal(await answer(path), system, 'an environment that is not complete is not used');

  rmSync(ballast);
  rmSync(join(plugins.pluginDir, '.venv'), { recursive: true });
  for (const [method, path, body] of changes) {
    assert.deepEqual(await plugins.request(method, `/api/v3/plugins/${path}`, body), { status: 200, text: '' });
  }
  for (const path of ['single', 'multi']) assert.equal(await answer(path), system);
});
