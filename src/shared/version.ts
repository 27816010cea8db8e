import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What this build is. */
export interface ProductVersion {
  /** `3.10.0-ts.N`, from package.json. */
  readonly version: string;
  /** Short git hash written by the build, or `unknown`. */
  readonly revision: string;
}

const packageName = 'influxdb3-serve';
const revisionFile = 'revision.txt';

/** Reads the version of this build from the files beside it. Cheap, but meant to be called once and passed on. */
export function readProductVersion(from: string = dirname(fileURLToPath(import.meta.url))): ProductVersion {
  const root = packageRoot(from);
  const candidates = [join(from, '..', revisionFile), join(root, 'dist', revisionFile)];
  const file = candidates.find((path) => existsSync(path));
  const revision = file === undefined ? '' : readFileSync(file, 'utf8').trim();
  return { version: packageVersion(root), revision: /^[0-9a-f]{4,40}$/.test(revision) ? revision : 'unknown' };
}

/** The one line of `influxdb3 --version`: product, version, revision. */
export function versionLine(product: ProductVersion): string {
  return `influxdb3 InfluxDB 3 Core (TypeScript), ${product.version}, revision ${product.revision}`;
}

function packageRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (readPackage(folder)?.name === packageName) return folder;
    if (dirname(folder) === folder) throw new Error(`package.json of ${packageName} not found above ${from}`);
  }
}

function packageVersion(root: string): string {
  const version = readPackage(root)?.version;
  if (typeof version !== 'string') throw new Error(`no version in ${join(root, 'package.json')}`);
  return version;
}

function readPackage(folder: string): { name?: unknown; version?: unknown } | undefined {
  const file = join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown }) : undefined;
}
