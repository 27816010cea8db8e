import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testDirectory } from '../support/server.ts';
import { runProgram } from './cli-support.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

/** Code blocks of the guide whose first line names their file. */
function recipes(): Map<string, string> {
  const guide = readFileSync(join(root, 'docs', 'testing-with-influxdb3.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```(?:js|yaml)\n(?:\/\/|#) (\S+)\n([\s\S]*?)^```$/gm)];
  return new Map(blocks.map(([, name = '', text = '']) => [name, text]));
}

/** A project that has this package installed and the recipes written out. */
function projectIn(directory: string): readonly string[] {
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(root, join(directory, 'node_modules', 'influxdb3-serve'), 'dir');
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  const found = recipes();
  for (const [name, text] of found) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return [...found.keys()];
}

async function runNode(args: readonly string[], cwd: string): Promise<{ code: number | null; output: string }> {
  // The runner of the tests marks its children; a recipe must not report to it.
  const { NODE_TEST_CONTEXT: _ours, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

describe('recipes of the testing guide', () => {
  it('the first example prints its row and ends by itself', async (t) => {
    const directory = await testDirectory(t);
    projectIn(directory);
    const { code, output } = await runNode(['example.mjs'], directory);
    assert.equal(code, 0, output);
    assert.match(output, /^http:\/\/127\.0\.0\.1:\d+ \[ \{ room: 'Kitchen', temp: 21\.5 \} \]\n$/);
  });

  it('the node:test recipe passes', async (t) => {
    const directory = await testDirectory(t);
    projectIn(directory);
    const { code, output } = await runNode(['--test', 'test/home.test.mjs'], directory);
    assert.equal(code, 0, output);
    assert.match(output, /pass 2\n/);
  });

  it('every script is valid, and the global set-ups start and stop a server', async (t) => {
    const directory = await testDirectory(t);
    const names = projectIn(directory);
    const scripts = names.filter((name) => /\.[cm]?js$/.test(name));
    assert.deepEqual(scripts.length, 9);
    for (const name of scripts) {
      const { code, output } = await runNode(['--check', name], directory);
      assert.equal(code, 0, `${name}: ${output}`);
    }
    const program = `
      import jestSetup from './jest.setup.mjs';
      import jestTeardown from './jest.teardown.mjs';
      import vitestSetup from './vitest.setup.mjs';
      const healthOf = async ({ url, token }) => (await fetch(url + '/health', { headers: { authorization: 'Bearer ' + token } })).status;
      const statuses = [];
      await jestSetup();
      statuses.push(await healthOf({ url: process.env.INFLUX_URL, token: process.env.INFLUX_TOKEN }));
      await jestTeardown();
      let influx;
      const teardown = await vitestSetup({ provide: (name, value) => { influx = value; } });
      statuses.push(await healthOf(influx));
      await teardown();
      console.log(statuses.join(' '));`;
    writeFileSync(join(directory, 'both.mjs'), program);
    assert.deepEqual(await runNode(['both.mjs'], directory), { code: 0, output: '200 200\n' });
  });

  it('the options of the workflow are valid', async (t) => {
    const directory = await testDirectory(t);
    const workflow = recipes().get('.github/workflows/test.yml') ?? '';
    const [, line = ''] = /npx influxdb3 (serve .*?) > /.exec(workflow) ?? [];
    const { code, stdout } = await runProgram([...line.split(' '), '--check'], { cwd: directory });
    assert.equal(code, 0);
    assert.match(stdout, /store +memory\n/);
  });

  it('the package names its entry and its types', () => {
    const {
      exports: entries,
      main,
      types,
    } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      main: string;
      types: string;
      exports: { '.': { types: string; default: string } };
    };
    assert.deepEqual(entries['.'], { types: `./${types}`, default: `./${main}` });
    assert.ok(existsSync(join(root, main)) && existsSync(join(root, types)));
  });
});
