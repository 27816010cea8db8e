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

/** Reads a plugin file, or every Python file of a plugin folder. Links are not followed. */
export async function readPluginFiles(path: string): Promise<PluginFiles> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) throw new CommandFailure(`File not found: ${path}`);
  const name = basename(resolve(path));
  if (name === '') throw new CommandFailure(`Invalid path: ${path}`);
  if (!stats.isDirectory()) {
    const content = await readFile(path, 'utf8');
    return { name, isDirectory: false, files: [{ path: name, relativePath: name, content }] };
  }
  const entry = await lstat(join(path, entryFile)).catch(() => undefined);
  if (entry === undefined) throw new CommandFailure(`Multi-file plugin directory must contain ${entryFile}: ${path}`);
  const files = [];
  for (const file of await pythonFiles(path)) {
    const relativePath = relative(path, file).split(sep).join('/');
    files.push({ path: `${name}/${relativePath}`, relativePath, content: await readFile(file, 'utf8') });
  }
  return { name, isDirectory: true, files };
}

async function pythonFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== '__pycache__') found.push(...(await pythonFiles(path)));
    else if (entry.isFile() && entry.name.endsWith('.py')) found.push(path);
  }
  return found.sort();
}
