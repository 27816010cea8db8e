import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startServer, type TestServer, type TestServerOptions, testDirectory } from './server.ts';

const PAUSE_MS = 40;
/** Far beyond what a call takes; a test that waits in vain prints the log that it saw. */
const ATTEMPTS_MAX = 2500;

/** What a trigger is made of; the rest has its usual value. */
export interface TestTrigger {
  readonly db?: string;
  readonly name?: string;
  readonly plugin: string;
  readonly spec: string;
  readonly args?: Readonly<Record<string, string>> | null;
  readonly runAsync?: boolean;
  readonly errorBehavior?: 'log' | 'retry' | 'disable';
  readonly disabled?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A server with a plugin directory. */
export class PluginServer {
  readonly server: TestServer;
  readonly pluginDir: string;
  readonly dataDir: string;

  private constructor(server: TestServer, pluginDir: string, dataDir: string) {
    this.server = server;
    this.pluginDir = pluginDir;
    this.dataDir = dataDir;
  }

  static async start(
    t: { after(fn: () => Promise<void>): void },
    files: Readonly<Record<string, string>>,
    options: TestServerOptions & { readonly dataDir?: string; readonly pluginDir?: string } = {},
  ): Promise<PluginServer> {
    const dataDir = options.dataDir ?? (await testDirectory(t));
    const pluginDir = options.pluginDir ?? join(dataDir, 'plugins');
    for (const [name, text] of Object.entries(files)) await writePlugin(join(pluginDir, name), text);
    const args = ['--plugin-dir', pluginDir, ...(options.args ?? [])];
    const server = await startServer(t, dataDir, { ...options, args });
    return new PluginServer(server, pluginDir, dataDir);
  }

  async write(name: string, text: string): Promise<void> {
    await writePlugin(join(this.pluginDir, name), text);
  }

  async request(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.server.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, text: await response.text() };
  }

  create(trigger: TestTrigger): Promise<Answer> {
    return this.request('POST', '/api/v3/configure/processing_engine_trigger', {
      db: trigger.db ?? 'db',
      plugin_filename: trigger.plugin,
      trigger_name: trigger.name ?? 't',
      trigger_settings: { run_async: trigger.runAsync ?? false, error_behavior: trigger.errorBehavior ?? 'log' },
      trigger_specification: trigger.spec,
      trigger_arguments: trigger.args ?? null,
      disabled: trigger.disabled ?? false,
    });
  }

  async created(trigger: TestTrigger): Promise<void> {
    assert.deepEqual(await this.create(trigger), { status: 200, text: '' });
  }

  setEnabled(enabled: boolean, name = 't', db = 'db'): Promise<Answer> {
    const word = enabled ? 'enable' : 'disable';
    return this.request('POST', `/api/v3/configure/processing_engine_trigger/${word}?db=${db}&trigger_name=${name}`);
  }

  delete(name = 't', force = false, db = 'db'): Promise<Answer> {
    return this.request('DELETE', '/api/v3/configure/processing_engine_trigger', { db, trigger_name: name, force });
  }

  /** `LEVEL text` of the log of a database's triggers, oldest first. */
  async logs(db = 'db', name?: string): Promise<string[]> {
    const only = name === undefined ? '' : ` WHERE trigger_name = '${name}'`;
    const rows = await this.server.rows(db, `SELECT log_level, log_text FROM system.processing_engine_logs${only} ORDER BY event_time`);
    return rows.map(({ log_level, log_text }) => `${log_level} ${log_text}`);
  }

  /** Waits for a row of the log. */
  async logged(pattern: RegExp | string, db = 'db'): Promise<string> {
    let seen: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      seen = await this.logs(db).catch(() => []); // the database may not be there yet
      const row = seen.find((text) => (typeof pattern === 'string' ? text === pattern : pattern.test(text)));
      if (row !== undefined) return row;
      await delay(PAUSE_MS);
    }
    throw new Error(`no row ${pattern} in:\n${seen.join('\n')}\n${this.server.output}`);
  }

  /** Waits until a query has rows. */
  async rowsOf(db: string, q: string, count = 1): Promise<Record<string, unknown>[]> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const response = await this.server.sql(db, q);
      const rows = response.status === 200 ? ((await response.json()) as Record<string, unknown>[]) : [];
      if (rows.length >= count) return rows;
      await delay(PAUSE_MS);
    }
    throw new Error(`no ${count} rows of ${q}\n${this.server.output}`);
  }
}

async function writePlugin(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
