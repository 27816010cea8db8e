/** Kinds of plugin entry points. The only words about plugins that ever leave the server. */
export const TRIGGER_TYPES = ['process_writes', 'process_scheduled_call', 'process_request'] as const;

export type TriggerType = (typeof TRIGGER_TYPES)[number];

/** One element of payload field 40. */
export interface Invocation {
  readonly databaseName: string;
  readonly triggerName: string;
  readonly pluginName: string;
  readonly triggerType: TriggerType;
  readonly count: number;
}

/** Most elements of field 40. */
export const INVOCATIONS_SENT_MAX = 255;

/** Most triggers told apart in memory; later ones still count in the totals per type. */
const INVOCATIONS_TRACKED_MAX = 10_000;

interface MutableInvocation {
  databaseName: string;
  triggerName: string;
  pluginName: string;
  triggerType: TriggerType;
  count: number;
}

/** Counts deliveries to plugins since the last payload was taken. */
export class InvocationRegistry {
  private byKey = new Map<string, MutableInvocation>();
  private totals = new Map<TriggerType, number>();

  /** Counts one delivery. Called before the plugin runs, so failures count and retries do not. */
  record(databaseName: string, triggerName: string, plugin: string, triggerType: TriggerType): void {
    this.totals.set(triggerType, (this.totals.get(triggerType) ?? 0) + 1);
    const pluginName = normalizePluginName(plugin);
    const key = JSON.stringify([databaseName, triggerName, pluginName, triggerType]);
    const known = this.byKey.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.byKey.size < INVOCATIONS_TRACKED_MAX)
      this.byKey.set(key, { databaseName, triggerName, pluginName, triggerType, count: 1 });
  }

  /** With names. For the local test endpoint only, never for the wire. */
  named(): Invocation[] {
    return [...this.byKey.values()]
      .map((entry) => ({ ...entry }))
      .sort(compareInvocations)
      .slice(0, INVOCATIONS_SENT_MAX);
  }

  /** One element per kind of trigger, every name empty: what is sent (docs/telemetry.md). */
  redacted(): Invocation[] {
    const elements: Invocation[] = [];
    for (const triggerType of TRIGGER_TYPES) {
      const count = this.totals.get(triggerType) ?? 0;
      if (count > 0) elements.push({ databaseName: '', triggerName: '', pluginName: '', triggerType, count });
    }
    return elements.sort(compareInvocations);
  }

  reset(): void {
    this.byKey = new Map();
    this.totals = new Map();
  }
}

const PLUGIN_SUFFIX = /\.(?:py|mjs|cjs|js|mts|ts)$/;

/** Plugin file name without folder, `gh:` and extension; `unknown` when nothing is left. */
export function normalizePluginName(plugin: string): string {
  const path = plugin.trim().replace(/^gh:/, '');
  const last =
    path
      .split(/[/\\]/)
      .filter((part) => part !== '')
      .at(-1) ?? '';
  return last.replace(PLUGIN_SUFFIX, '') || 'unknown';
}

function compareInvocations(a: Invocation, b: Invocation): number {
  return (
    b.count - a.count ||
    compareBytes(a.databaseName, b.databaseName) ||
    compareBytes(a.triggerName, b.triggerName) ||
    compareBytes(a.pluginName, b.pluginName) ||
    compareBytes(a.triggerType, b.triggerType)
  );
}

function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
