import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Catalog, TriggerDefinition } from '../../catalog/index.ts';
import { pluginFileError } from '../errors.ts';
import type { PluginFileContent } from '../processing-service.ts';
import { directoryEntry, isRemote } from './plugin-code.ts';
import { PathTraversal, pathInside } from './plugin-path.ts';
import { messageOf } from './system-error.ts';

export interface PluginFilesOptions {
  /** `--plugin-dir`. */
  readonly directory: string | undefined;
  readonly catalog: Pick<Catalog, 'databases' | 'triggers'>;
}

/** Writes files of plugins, one change at a time. Readers see the old file or the new one, never a part. */
export class PluginFiles {
  readonly #options: PluginFilesOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PluginFilesOptions) {
    this.#options = options;
  }

  /** Gives directories their names back that a crash has left between the two steps of a replacement. To be called at the start. */
  recover(): Promise<void> {
    return this.#inTurn(() => this.#recover());
  }

  upload(name: string, content: string): Promise<void> {
    return this.#inTurn(() => this.#upload(name, content));
  }

  updateFile(trigger: string, database: string | undefined, content: string): Promise<void> {
    return this.#inTurn(() => this.#updateFile(trigger, database, content));
  }

  replaceDirectory(trigger: string, database: string | undefined, files: readonly PluginFileContent[]): Promise<void> {
    return this.#inTurn(() => this.#replaceDirectory(trigger, database, files));
  }

  /** Changes that came at once would put their files into one directory, or into one that is being replaced. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined); // whoever asked is told
    return turn;
  }

  async #recover(): Promise<void> {
    const { catalog, directory } = this.#options;
    if (directory === undefined) return;
    for (const database of catalog.databases()) {
      for (const { pluginFilename } of catalog.triggers(database)) {
        if (isRemote(pluginFilename)) continue;
        const path = await pathInside(directory, bare(pluginFilename)).catch(() => undefined); // its trigger says why
        if (path !== undefined) await takeBack(path).catch(() => undefined); // as well
      }
    }
  }

  async #upload(name: string, content: string): Promise<void> {
    const directory = this.#directory();
    if (name.replace(/[./\\]/g, '') === '') throw pluginFileError(`'${name}' is no name of a file`);
    const path = await inside(directory, name);
    await writing(async () => {
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, content);
    });
  }

  async #updateFile(trigger: string, database: string | undefined, content: string): Promise<void> {
    const { path, isDirectory } = await this.#pluginOf(trigger, database);
    const entry = isDirectory ? (await writing(() => directoryEntry(path)))?.entry : path;
    await writing(() => replaceFile(entry ?? join(path, '__init__.py'), content));
  }

  async #replaceDirectory(trigger: string, database: string | undefined, files: readonly PluginFileContent[]): Promise<void> {
    const { path, isDirectory } = await this.#pluginOf(trigger, database);
    if (!isDirectory) throw pluginFileError(`the plugin of trigger ${trigger} is a single file: ${path}`);
    // Everything else is below it: other plugins, the Python environment.
    if (path === resolve(this.#directory())) throw pluginFileError(`the plugin of trigger ${trigger} is the plugin directory itself`);
    const next = nextOf(path);
    await writing(() => rm(next, { recursive: true, force: true }));
    try {
      await writing(() => mkdir(next, { recursive: true }));
      for (const { content, relativePath } of files) {
        const file = await inside(next, relativePath);
        await writing(async () => {
          await mkdir(dirname(file), { recursive: true });
          await replaceFile(file, content);
        });
      }
      if ((await directoryEntry(next)) === undefined) {
        throw pluginFileError(`reading plugin file: Multi-file plugin directory must contain __init__.py: ${path}`);
      }
    } catch (error) {
      await rm(next, { recursive: true, force: true });
      throw error;
    }
    await writing(() => swap(path, next));
  }

  #directory(): string {
    const { directory } = this.#options;
    if (directory === undefined) throw pluginFileError('No plugin directory configured');
    return directory;
  }

  async #pluginOf(name: string, database: string | undefined): Promise<{ readonly path: string; readonly isDirectory: boolean }> {
    const directory = this.#directory();
    const trigger = this.#find(name, database);
    if (trigger === undefined) throw pluginFileError(`Plugin not found: ${name}`);
    if (isRemote(trigger.pluginFilename)) throw pluginFileError(`trigger ${name} uses a remote plugin`);
    const path = await inside(directory, bare(trigger.pluginFilename));
    const info = await stat(path).catch(() => undefined); // a file that is gone can be written again
    return { path, isDirectory: info?.isDirectory() === true };
  }

  #find(name: string, database: string | undefined): TriggerDefinition | undefined {
    const { catalog } = this.#options;
    const triggers = [...catalog.databases()].flatMap((known) =>
      [...catalog.triggers(known)].map((trigger) => ({ database: known.name, trigger })),
    );
    const named = triggers.filter(({ trigger }) => trigger.name === name);
    return (database === undefined ? named[0] : named.find((found) => found.database === database))?.trigger;
  }
}

/** A directory may be named with a slash at its end. */
function bare(pluginFilename: string): string {
  return pluginFilename.replace(/\/+$/, '');
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** Where a directory is while the next one takes its place. */
function oldOf(path: string): string {
  return `${path}.old`;
}

/** Where the next files of a directory are until all are there. */
function nextOf(path: string): string {
  return `${path}.tmp`;
}

async function inside(root: string, name: string): Promise<string> {
  try {
    return await pathInside(root, name);
  } catch (error) {
    if (error instanceof PathTraversal) throw pluginFileError(error.message, error);
    throw pluginFileError(messageOf(error), error);
  }
}

async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The old directory comes back when the new one cannot take its place. */
async function swap(path: string, next: string): Promise<void> {
  const old = oldOf(path);
  await rm(old, { recursive: true, force: true });
  const existed = await exists(path);
  if (existed) await rename(path, old);
  try {
    await rename(next, path);
  } catch (error) {
    if (existed) await rename(old, path);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/** After a crash in the middle of `swap`, which leaves both directories beside the place of the plugin. */
async function takeBack(path: string): Promise<void> {
  if ((await exists(path)) || !(await exists(nextOf(path)))) return;
  await rename(oldOf(path), path);
  await rm(nextOf(path), { recursive: true, force: true });
}

async function writing<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    throw pluginFileError(messageOf(error), error);
  }
}
