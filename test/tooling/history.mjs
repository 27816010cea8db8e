// `npm run history`: builds everything, then runs a history of clients, kills and restarts against the real server
// (docs/testing.md, "Histories"). HISTORY_SEED, HISTORY_MINUTES and more from the environment. Exit code 1 = a fault was found.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildTests, root, setUp } from './setup.mjs';

const outDir = join('.build', 'all');
await setUp();
buildTests(outDir);
const main = join(root, outDir, 'test', 'history', 'main.js');
const child = spawn(process.execPath, ['--enable-source-maps', main], { cwd: root, stdio: 'inherit' });
child.once('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 2);
});
