// `npm test [-- path part …]`: set-up, build of sources and tests, then the runner of Node over every test file.
// The counts of the runner are the last thing printed, also after failures.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildTests, listFiles, root, setUp } from './setup.mjs';

/**
 * Unit tests share processes, as many files each: starting Node.js, loading DuckDB and the SQL parser and compiling the code
 * takes longer than most of them. A file whose first line begins with `// Runs alone: ` has a process of its own.
 */
const FILES_PER_PROCESS = 12;
const ALONE = '// Runs alone: ';

/** Tests wait for disks and other processes about as much as they compute. */
const CONCURRENCY = 3;

/**
 * A test that hangs must end the run with its name, not the patience of whoever started it; a machine that does much else gets its
 * time, and a differential run that is told to go on for minutes gets these.
 */
const PROCESS_TIMEOUT_MS = 600_000 + Number(process.env.DIFF_MINUTES ?? 0) * 60_000;

const outDir = join('.build', 'all');
await setUp();
buildTests(outDir);

const wanted = process.argv.slice(2);
const files = listFiles(join(root, 'test'))
  .map((file) => relative(root, file).split(sep).join('/'))
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`no test file matches: ${wanted.join(' ')}\n`);
  process.exit(1);
}

const together = files.filter((file) => file.startsWith('test/unit/') && !readFileSync(join(root, file), 'utf8').startsWith(ALONE));
const alone = files.filter((file) => !together.includes(file));

const reporter = pathToFileURL(join(root, 'test', 'tooling', 'reporter.mjs')).href;
const args = [
  '--enable-source-maps',
  '--test',
  `--test-reporter=${reporter}`,
  `--test-concurrency=${CONCURRENCY}`,
  `--test-timeout=${PROCESS_TIMEOUT_MS}`,
  ...alone.map(compiled),
  ...sharedProcesses(),
];
const environment = { ...process.env, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true' };
const result = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: environment });
process.exitCode = result.status ?? 1;

function compiled(file) {
  return join(outDir, file.replace(/\.ts$/, '.js'));
}

/** Writes a module for each process that imports its test files. Answers with the modules. */
function sharedProcesses() {
  const folder = join(outDir, 'shared-processes');
  rmSync(join(root, folder), { recursive: true, force: true });
  mkdirSync(join(root, folder), { recursive: true });
  const modules = [];
  for (let i = 0; i < together.length; i += FILES_PER_PROCESS) {
    const imports = together.slice(i, i + FILES_PER_PROCESS).map((file) => `import '../${file.replace(/\.ts$/, '.js')}';\n`);
    const path = join(folder, `unit-${modules.length + 1}.test.js`);
    writeFileSync(join(root, path), imports.join(''));
    modules.push(path);
  }
  return modules;
}
