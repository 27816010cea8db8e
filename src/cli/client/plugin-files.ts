import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { CommandFailure } from './failure.ts';

export interface PluginFiles {
  /** Name of the file or folder on the server. */
  readonly name: string;
  readonly isDirectory: boolean;
  /** `path` is what the server stores the file as, with slashes. */
  readonly files: readonly { readonly path: string; readonly relativePath: string; readonly content: string }[];
}

const entryFile = '__init__.py';

/** Entries of folders in JavaScript; a folder that has none of them must be a Python package. */
const javascriptEntries = ['index.mjs', 'index.js', 'index.cjs', 'index.ts', 'index.mts'];
const javascriptFile = /\.(?:[cm]?js|m?ts|cts|json)$/;

/** Reads a plugin file, or every source file of a plugin folder. Links are not followed. */
export async function readPluginFiles(path: string): Promise<PluginFiles> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) throw new CommandFailure(`File not found: ${path}`);
  const name = basename(resolve(path));
  if (name === '') throw new CommandFailure(`Invalid path: ${path}`);
  if (!stats.isDirectory()) {
    const content = await readFile(path, 'utf8');
    return { name, isDirectory: false, files: [{ path: name, relativePath: name, content }] };
  }
  const entries = await readdir(path);
  const isPython = entries.includes(entryFile);
  if (!isPython && !javascriptEntries.some((entry) => entries.includes(entry))) {
    throw new CommandFailure(`Multi-file plugin directory must contain ${entryFile}: ${path}`);
  }
  const files = [];
  for (const file of await sourceFiles(path, isPython ? /\.py$/ : javascriptFile)) {
    const relativePath = relative(path, file).split(sep).join('/');
    files.push({ path: `${name}/${relativePath}`, relativePath, content: await readFile(file, 'utf8') });
  }
  return { name, isDirectory: true, files };
}

const skippedFolders = ['__pycache__', 'node_modules'];

async function sourceFiles(folder: string, wanted: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !skippedFolders.includes(entry.name)) found.push(...(await sourceFiles(path, wanted)));
    else if (entry.isFile() && wanted.test(entry.name)) found.push(path);
  }
  return found.sort();
}
