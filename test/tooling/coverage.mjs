// `npm run coverage [-- path part …]`: line coverage of the tests whose path contains one of the parts.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** Fetched when it is first used: nothing else needs it. */
const C8 = 'c8@12.0.0';

const report = ['--reporter=text', '--reporter=html', '--include', '.build/all/src/**', '--exclude-after-remap=false'];
const run = [process.execPath, join(root, 'test', 'tooling', 'run-tests.mjs'), ...process.argv.slice(2)];
const result = spawnSync('npx', ['--yes', C8, ...report, ...run], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
process.exitCode = result.status ?? 1;
