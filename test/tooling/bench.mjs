// `npm run bench [-- name …]`: compiles and runs the timing scripts of test/bench, one after the other.
import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { buildTests, listFiles, root, setUp } from './setup.mjs';

const outDir = join('.build', 'all');
setUp();
buildTests(outDir);

const names = listFiles(join(root, 'test', 'bench'))
  .map((file) => basename(file))
  .filter((name) => /^[a-z0-9-]+\.ts$/.test(name))
  .map((name) => name.slice(0, -'.ts'.length))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no such bench: ${unknown.join(', ')}; there are ${names.join(', ')}\n`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : names) {
  process.stdout.write(`${name}\n`);
  const file = join(outDir, 'test', 'bench', `${name}.js`);
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', file], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}
