import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages that only some tests need, in their exact versions: `npm ci` does not install them. */
const VERSIONS = {
  '@aws-sdk/client-s3': '3.1175.0',
  '@azure/identity': '4.13.1',
  azurite: '3.35.0', // the last one for Node.js 20
  'google-auth-library': '10.9.1',
} as const;

const INSTALL_TIMEOUT_MS = 300_000;

/**
 * Installs a package into a folder below `.build` unless it is there, and returns the folder: a program that runs in it finds
 * the package.
 */
export function ensureNpmPackage(name: keyof typeof VERSIONS): string {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
  const folder = join(root, '.build', 'packages', name.replaceAll('/', '+'));
  const manifest = join(folder, 'node_modules', name, 'package.json');
  const version = VERSIONS[name];
  if (existsSync(manifest)) {
    if ((JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version === version) return folder;
    rmSync(folder, { recursive: true, force: true });
  }
  const fresh = `${folder}.${process.pid}`; // other test processes may want the same package at the same time
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, 'package.json'), '{"private":true}\n');
  const options = ['--no-audit', '--no-fund', '--loglevel=error', '--save-exact'];
  execFileSync('npm', ['install', ...options, `${name}@${version}`], { cwd: fresh, stdio: 'pipe', timeout: INSTALL_TIMEOUT_MS });
  moveTo(folder, fresh, () => existsSync(manifest));
  return folder;
}

/** Gives a folder its place, unless another process was quicker. */
function moveTo(place: string, folder: string, isThere: () => boolean): void {
  try {
    renameSync(folder, place);
  } catch (error) {
    if (!isThere()) throw error;
    rmSync(folder, { recursive: true, force: true });
  }
}
