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

/** Where settings are kept. */
export interface SettingsPlace {
  /** Undefined = there are none yet. */
  read(): Promise<string | undefined>;
  /** Durable when it resolves. */
  replace(text: string): Promise<void>;
}

/** Settings in a file of the node's directory. */
function settingsFile(path: string): SettingsPlace {
  return {
    read: async () => {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    replace: async (text) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await new LedgerFile(path).replace(text);
    },
  };
}

/** The settings of a node: `telemetry/settings.json` of its directory or bucket, or memory for a server that keeps nothing. */
export class TelemetrySettings {
  readonly #place: SettingsPlace | undefined;
  #stored: StoredSettings;

  private constructor(place: SettingsPlace | undefined, stored: StoredSettings) {
    this.#place = place;
    this.#stored = stored;
  }

  /**
   * Settings that cannot be read or understood mean off. Never rejects.
   * @param where a path, or another place; undefined = memory
   */
  static async open(where: SettingsPlace | string | undefined): Promise<TelemetrySettings> {
    const place = typeof where === 'string' ? settingsFile(where) : where;
    return new TelemetrySettings(place, place === undefined ? DEFAULTS : await read(place));
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
    if (this.#place !== undefined) {
      const { off, ids } = settings;
      const file = { off, ...(ids === undefined ? {} : { instance_id: ids.instanceId, cluster_uuid: ids.clusterUuid }) };
      await this.#place.replace(`${JSON.stringify(file)}\n`);
    }
    this.#stored = settings;
  }
}

async function read(place: SettingsPlace): Promise<StoredSettings> {
  try {
    const text = await place.read();
    if (text === undefined) return DEFAULTS;
    const { off, instance_id: instanceId, cluster_uuid: clusterUuid } = JSON.parse(text) as Record<string, unknown>;
    if (typeof off !== 'boolean') return UNREADABLE;
    const ids = typeof instanceId === 'string' && typeof clusterUuid === 'string' ? { instanceId, clusterUuid } : undefined;
    return { off, ids };
  } catch {
    return UNREADABLE;
  }
}
