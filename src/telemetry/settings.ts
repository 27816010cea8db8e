import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LedgerFile } from './ledger-file.ts';

/** What a person decided about the telemetry of a node, with `influxdb3 telemetry off`, `on` and `reset-id`. */
export interface StoredSettings {
  /** Off until somebody says on, whatever flags and variables say. */
  readonly off: boolean;
  /** Random ids that reports carry instead of those of the catalog; undefined = those of the catalog. */
  readonly ids: { readonly instanceId: string; readonly clusterUuid: string } | undefined;
}

const DEFAULTS: StoredSettings = { off: false, ids: undefined };

/** Nothing is sent while it is not known what the person wants. */
const UNREADABLE: StoredSettings = { off: true, ids: undefined };

/** The settings of a node: `<data-dir>/<node-id>/telemetry/settings.json`, or memory for a server without a directory. */
export class TelemetrySettings {
  readonly #path: string | undefined;
  #stored: StoredSettings;

  private constructor(path: string | undefined, stored: StoredSettings) {
    this.#path = path;
    this.#stored = stored;
  }

  /** A file that cannot be read or understood means off. Never rejects. */
  static async open(path: string | undefined): Promise<TelemetrySettings> {
    return new TelemetrySettings(path, path === undefined ? DEFAULTS : await read(path));
  }

  get stored(): StoredSettings {
    return this.#stored;
  }

  /** Off counts from the call on, on once it is stored. Durable when it resolves. */
  async setOff(off: boolean): Promise<void> {
    const settings = { ...this.#stored, off };
    if (off) this.#stored = settings;
    await this.#store(settings);
  }

  /** Takes new random ids. Durable when it resolves. */
  async resetIds(): Promise<void> {
    await this.#store({ ...this.#stored, ids: { instanceId: randomUUID(), clusterUuid: randomUUID() } });
  }

  async #store(settings: StoredSettings): Promise<void> {
    if (this.#path !== undefined) {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      const { off, ids } = settings;
      const file = { off, ...(ids === undefined ? {} : { instance_id: ids.instanceId, cluster_uuid: ids.clusterUuid }) };
      await new LedgerFile(this.#path).replace(`${JSON.stringify(file)}\n`);
    }
    this.#stored = settings;
  }
}

async function read(path: string): Promise<StoredSettings> {
  try {
    const { off, instance_id: instanceId, cluster_uuid: clusterUuid } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    if (typeof off !== 'boolean') return UNREADABLE;
    const ids = typeof instanceId === 'string' && typeof clusterUuid === 'string' ? { instanceId, clusterUuid } : undefined;
    return { off, ids };
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? DEFAULTS : UNREADABLE;
  }
}
