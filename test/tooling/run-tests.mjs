// `npm test [-- path part …]`: set-up, build of sources and tests, then the runner of Node over every test file.
// The counts of the runner are the last thing printed, also after failures.
import { spawnSync } from 'node:child_process';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildTests, listFiles, root, setUp } from './setup.mjs';

/** A test that hangs must end the run with its name, not the patience of whoever started it. */
const FILE_TIMEOUT_MS = 300_000;

const outDir = join('.build', 'all');
await setUp();
buildTests(outDir);

const wanted = process.argv.slice(2);
const files = listFiles(join(root, 'test'))
  .map((file) => relative(root, file).split(sep).join('/'))
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
  .map((file) => join(outDir, file.replace(/\.ts$/, '.js')));
if (files.length === 0) {
  process.stderr.write(`no test file matches: ${wanted.join(' ')}\n`);
  process.exit(1);
}

const reporter = pathToFileURL(join(root, 'test', 'tooling', 'reporter.mjs')).href;
const args = [
  '--enable-source-maps',
  '--test',
  `--test-reporter=${reporter}`,
  '--test-concurrency=2',
  `--test-timeout=${FILE_TIMEOUT_MS}`,
  ...files,
];
const environment = { ...process.env, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true' };
const result = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: environment });
process.exitCode = result.status ?? 1;
