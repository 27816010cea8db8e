import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages that only some tests need, in their exact versions: `npm ci` does not install them. */
const VERSIONS = { '@aws-sdk/client-s3': '3.1175.0' } as const;

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
  if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version === version) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const options = ['--no-audit', '--no-fund', '--loglevel=error', '--save-exact'];
  execFileSync('npm', ['install', ...options, `${name}@${version}`], { cwd: folder, stdio: 'pipe', timeout: INSTALL_TIMEOUT_MS });
  return folder;
}
