import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the program is, or why it cannot be had. */
export type EnsuredProgram = { readonly kind: 'found'; readonly path: string } | { readonly kind: 'missing'; readonly reason: string };

/** Longest wait for one call of the package manager. */
const INSTALL_TIMEOUT_MS = 300_000;

/** Finds a program in PATH; on Debian, and as root, installs its package first when it is missing. */
export function ensureDebianPackage(program: string, packageName: string): EnsuredProgram {
  const present = findProgram(program);
  if (present !== undefined) return { kind: 'found', path: present };
  if (process.platform !== 'linux' || findProgram('apt-get') === undefined)
    return missing(`${program} is not installed and there is no apt-get`);
  if (process.getuid?.() !== 0) return missing(`${program} is not installed and only root can install ${packageName}`);
  try {
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', packageName);
  } catch (error) {
    return missing(`${packageName} cannot be installed: ${firstLine(error)}`);
  }
  const installed = findProgram(program);
  return installed === undefined ? missing(`${packageName} has no ${program}`) : { kind: 'found', path: installed };
}

/** Same for a package without a program; `present` says whether it is installed. */
export function ensureDebianModule(present: () => boolean, packageName: string): EnsuredProgram {
  if (present()) return { kind: 'found', path: packageName };
  if (process.platform !== 'linux' || findProgram('apt-get') === undefined)
    return missing(`${packageName} is not installed and there is no apt-get`);
  if (process.getuid?.() !== 0) return missing(`only root can install ${packageName}`);
  try {
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', packageName);
  } catch (error) {
    return missing(`${packageName} cannot be installed: ${firstLine(error)}`);
  }
  return present() ? { kind: 'found', path: packageName } : missing(`${packageName} cannot be used`);
}

function findProgram(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function aptGet(...args: string[]): void {
  execFileSync('apt-get', args, {
    stdio: 'pipe',
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function missing(reason: string): EnsuredProgram {
  return { kind: 'missing', reason };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
