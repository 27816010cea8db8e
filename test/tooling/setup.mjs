// Brings a clone to the point where it runs: packages installed, dist built. Needs Node and npm only.
// Silent when nothing is to do.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from './bundle.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Installs packages when they differ from the lock file, and builds dist when a source is newer. */
export async function setUp() {
  requireNode();
  install();
  await buildDist();
}

/** Compiles sources and tests together, side by side below `outDir`. */
export function buildTests(outDir) {
  compile('test/tsconfig.json', outDir, 'building the tests');
}

/** All files below a folder, as absolute paths. */
export function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Builds dist if needed; `force` builds always. */
export async function buildDist(force = false) {
  const stamp = join(root, 'dist', '.built');
  const settings = ['tsconfig.json', 'package-lock.json', 'test/tooling/bundle.mjs'].map((name) => join(root, name));
  const sources = [...listFiles(join(root, 'src')), ...settings];
  if (force || modified(stamp) < Math.max(...sources.map(modified)) || removeOrphans() > 0) {
    rmSync(stamp, { force: true });
    const startedAt = new Date();
    compile('tsconfig.json', 'dist', 'building influxdb3');
    removeOrphans();
    rmSync(join(root, 'dist', 'bundle'), { recursive: true, force: true });
    await bundle(root);
    writeFileSync(stamp, `${startedAt.toISOString()}\n`);
  }
  writeRevision();
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  stop(`influxdb3 needs Node.js 20.19 or newer, this is ${process.versions.node}`);
}

function install() {
  if (isInstalled()) return;
  note('installing packages (npm ci), once');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: process.platform === 'win32' });
  if (result.status !== 0) stop('npm ci failed; is the package registry reachable?');
}

/** True when every package of the lock file is there in its version; those of other platforms may be missing. */
function isInstalled() {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages);
  return wanted.every(
    ([path, { version, optional }]) => path === '' || (installed[path] === undefined ? optional : installed[path].version === version),
  );
}

/** What did not change since the last time is not compiled again; what TypeScript knows of it goes with the folder. */
function compile(project, outDir, what) {
  note(what);
  const args = ['-p', project, '--outDir', outDir, '--incremental', '--tsBuildInfoFile', join(outDir, '.tsbuildinfo')];
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (run(process.execPath, [compiler, ...args]).status !== 0) stop(`${what} failed`);
}

/** Removes compiled files whose source is gone. Answers with their number. */
function removeOrphans() {
  const dist = join(root, 'dist');
  const orphans = listFiles(dist).filter((file) => {
    if (/^(?:bundle|types)\b/.test(relative(dist, file))) return false;
    const match = /^(.*?)(?:\.d\.ts|\.js\.map|\.js)$/.exec(relative(dist, file));
    return match !== null && !existsSync(join(root, 'src', `${match[1]}.ts`));
  });
  for (const file of orphans) rmSync(file);
  return orphans.length;
}

function writeRevision() {
  const git = spawnSync('git', ['rev-parse', '--short=10', 'HEAD'], { cwd: root, encoding: 'utf8' });
  const revision = git.status === 0 ? git.stdout.trim() : 'unknown';
  const file = join(root, 'dist', 'revision.txt');
  if (existsSync(file) && readFileSync(file, 'utf8').trim() === revision) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${revision}\n`);
}

/** Standard output belongs to whoever called; what the tools say goes to standard error. */
function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

function note(text) {
  process.stderr.write(`${text} …\n`);
}

function stop(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await setUp();
