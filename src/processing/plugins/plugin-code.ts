import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { InfluxError } from '../../shared/errors.ts';
import { noPluginDirectory, pluginError } from '../errors.ts';
import { PathTraversal, pathInside } from './plugin-path.ts';
import { messageOf, systemErrorCode } from './system-error.ts';

export type PluginLanguage = 'python' | 'javascript';

/** A plugin as it is on disk, or in its repository, at one moment. */
export interface PluginCode {
  /** As the trigger names it. */
  readonly name: string;
  readonly language: PluginLanguage;
  /** A directory is a package with several files. */
  readonly isDirectory: boolean;
  /** Absolute path of the file or directory; undefined for what was fetched. */
  readonly path: string | undefined;
  /** File to load: the plugin itself, or the entry of its directory; undefined for what was fetched. */
  readonly entry: string | undefined;
  /** Text of a single file. Empty for a directory, which is read where it lies. */
  readonly source: string;
  /** Another one whenever a file of the plugin is another one. */
  readonly version: string;
}

export interface PluginCodeOptions {
  /** `--plugin-dir`; undefined = the processing engine is off. */
  readonly directory: string | undefined;
  /** Text of a file of the repository; throws with the reason. */
  readonly fetchRemote: (path: string) => Promise<string>;
}

/** Prefix of plugins that are fetched from the repository. */
export const REMOTE_PREFIX = 'gh:';

const PYTHON_ENTRY = '__init__.py';
const JAVASCRIPT_ENTRIES = ['index.mjs', 'index.js', 'index.cjs', 'index.ts', 'index.mts'];
const JAVASCRIPT_FILE = /\.(?:js|mjs|cjs|ts|mts)$/i;

/** Files of one plugin directory that are looked at for changes. */
const FILES_WATCHED_MAX = 1000;

/** Finds and reads the code of plugins. */
export class PluginCodeReader {
  readonly #options: PluginCodeOptions;

  constructor(options: PluginCodeOptions) {
    this.#options = options;
  }

  /** Reads a plugin by the name that its trigger has. Throws catalogue errors that begin with `Plugin error: `. */
  async read(name: string): Promise<PluginCode> {
    const { directory, fetchRemote } = this.#options;
    if (directory === undefined) throw noPluginDirectory();
    if (isRemote(name)) {
      const source = await fetchRemote(name.slice(REMOTE_PREFIX.length)).catch((error: unknown) => {
        throw pluginError(messageOf(error), error);
      });
      return { name, language: languageOf(name), isDirectory: false, path: undefined, entry: undefined, source, version: hash(source) };
    }
    const path = await this.pathOf(name);
    const info = await stat(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    return info.isDirectory() ? readDirectory(name, path) : readSingle(name, path, info);
  }

  /** Whether the code read before is still what is there; fetched code always is. Throws as `read` does. */
  async isCurrent(code: PluginCode): Promise<boolean> {
    if (code.path === undefined) return true;
    const info = await stat(code.path).catch((error: unknown) => {
      throw unreadable(code.path ?? '', error);
    });
    if (info.isDirectory() !== code.isDirectory) return false;
    return (info.isDirectory() ? await directoryVersion(code.path, code.language) : fileVersion(info)) === code.version;
  }

  /** Absolute path of a local plugin. Throws for names that reach outside the directory. */
  async pathOf(name: string): Promise<string> {
    const { directory } = this.#options;
    if (directory === undefined) throw noPluginDirectory();
    try {
      return await pathInside(directory, name.replace(/\/+$/, ''));
    } catch (error) {
      if (error instanceof PathTraversal) throw pluginError(error.message, error);
      throw pluginError(`reading plugin file: ${messageOf(error)}`, error);
    }
  }
}

/** True for a plugin of the plugin repository (`gh:`), which is fetched and not found in the directory. */
export function isRemote(name: string): boolean {
  return name.startsWith(REMOTE_PREFIX);
}

/** Whether a plugin directory has something to begin with; undefined = no. */
export async function directoryEntry(path: string): Promise<{ readonly entry: string; readonly language: PluginLanguage } | undefined> {
  const names = await readdir(path);
  if (names.includes(PYTHON_ENTRY)) return { entry: join(path, PYTHON_ENTRY), language: 'python' };
  const found = JAVASCRIPT_ENTRIES.find((candidate) => names.includes(candidate));
  return found === undefined ? undefined : { entry: join(path, found), language: 'javascript' };
}

/** 500: a directory of Python without `__init__.py`. */
export function directoryWithoutEntry(path: string): InfluxError {
  return pluginError(`reading plugin file: Multi-file plugin directory must contain ${PYTHON_ENTRY}: ${path}`);
}

async function readDirectory(name: string, path: string): Promise<PluginCode> {
  const found = await directoryEntry(path);
  if (found === undefined) throw directoryWithoutEntry(path);
  const { entry, language } = found;
  return { name, language, isDirectory: true, path, entry, source: '', version: await directoryVersion(path, language) };
}

async function readSingle(name: string, path: string, info: FileFacts): Promise<PluginCode> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  let source: string;
  try {
    source = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw pluginError('reading plugin file: stream did not contain valid UTF-8', error);
  }
  return { name, language: languageOf(path), isDirectory: false, path, entry: path, source, version: fileVersion(info) };
}

function unreadable(path: string, cause: unknown): InfluxError {
  if (systemErrorCode(cause) === 'ENOENT') return pluginError(`reading plugin file: Plugin not found: ${path}`, cause);
  return pluginError(`reading plugin file: ${messageOf(cause)}`, cause);
}

interface FileFacts {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

function fileVersion({ ino, size, mtimeMs }: FileFacts): string {
  return `${ino}:${size}:${mtimeMs}`;
}

/** Changes with every source file below the directory; links are not followed. */
async function directoryVersion(root: string, language: PluginLanguage): Promise<string> {
  const isSource = language === 'python' ? (file: string) => file.endsWith('.py') : (file: string) => JAVASCRIPT_FILE.test(file);
  const facts: string[] = [];
  const waiting = [root];
  for (let next = waiting.pop(); next !== undefined && facts.length < FILES_WATCHED_MAX; next = waiting.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (entry.isDirectory() && entry.name !== '__pycache__' && entry.name !== 'node_modules') waiting.push(path);
      else if (entry.isFile() && isSource(entry.name)) facts.push(`${path}=${fileVersion(await stat(path))}`);
    }
  }
  return hash(facts.sort().join('\n'));
}

function languageOf(path: string): PluginLanguage {
  return JAVASCRIPT_FILE.test(path) ? 'javascript' : 'python';
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
