// `npm run bench [-- name …] [--options]`: compiles and runs timing scripts of test/bench, by default the comparison with the peers.
import { spawnSync } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { buildTests, listFiles, root, setUp } from './setup.mjs';

const DEFAULT = 'compare';
const folder = join(root, 'test', 'bench');
const outDir = join('.build', 'all');
const args = process.argv.slice(2);
const firstOption = args.findIndex((arg) => arg.startsWith('-'));
const wanted = firstOption < 0 ? args : args.slice(0, firstOption);
const options = firstOption < 0 ? [] : args.slice(firstOption);
const names = listFiles(folder)
  .filter((file) => dirname(file) === folder && /^[a-z0-9-]+\.ts$/.test(relative(folder, file)))
  .map((file) => relative(folder, file).slice(0, -'.ts'.length))
  .sort();
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no such bench: ${unknown.join(', ')}; there are ${names.join(', ')}\n`);
  process.exit(1);
}
await setUp();
buildTests(outDir);
for (const name of wanted.length > 0 ? wanted : [DEFAULT]) {
  process.stderr.write(`${name}\n`);
  const file = join(outDir, 'test', 'bench', `${name}.js`);
  const result = spawnSync(process.execPath, ['--enable-source-maps', file, ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
