import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep, win32 } from 'node:path';
import { systemErrorCode } from './system-error.ts';

/** A name that would leave the directory. The message is what clients see. */
export class PathTraversal extends Error {
  constructor(name: string) {
    super(`Path traversal detected: plugin filename '${name}' attempts to access files outside the plugin directory`);
    this.name = 'PathTraversal';
  }
}

/**
 * Absolute path of a file or directory below `root`. Throws `PathTraversal` for names with `..`, absolute ones, and those that
 * reach outside by a link. What does not exist yet is judged by its deepest existing parent.
 */
export async function pathInside(root: string, name: string): Promise<string> {
  const parts = name.split(/[/\\]/);
  if (name.includes('\0') || parts.includes('..') || isAbsolute(name) || win32.isAbsolute(name) || /^[A-Za-z]:/.test(name)) {
    throw new PathTraversal(name);
  }
  const path = resolve(root, name);
  const [realRoot, realPath] = [await deepestReal(resolve(root)), await deepestReal(path)];
  if (realPath !== realRoot && !realPath.startsWith(realRoot + sep)) throw new PathTraversal(name);
  return path;
}

/** The path with links resolved as far as it exists. */
async function deepestReal(path: string): Promise<string> {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(await realpath(at), ...missing);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || dirname(at) === at) throw error;
      missing.unshift(basename(at));
    }
  }
}
