/** What the server knows once it answers; the app hands it to `onReady`. */
export interface StartupInfo {
  /** `http://127.0.0.1:8181`, an address that this machine can open. */
  readonly url: string;
  /** Bound address as `ip:port`. */
  readonly address: string;
  /** Folder of the data, or undefined when nothing is kept. */
  readonly dataDir: string | undefined;
  readonly nodeId: string;
  readonly telemetry: { readonly state: 'on' | 'off'; readonly reason: string };
  readonly authEnabled: boolean;
  /** True when an admin token exists already. */
  readonly hasAdminToken: boolean;
  readonly startupMs: number;
  /** The line of `--version`. */
  readonly product: string;
  /** What a person reads once, at the first start on a directory; empty at later ones. */
  readonly notice?: string;
}

/** The few lines that a person reads after a start. Printed to standard error, so logs stay clean. */
export function formatStartup(info: StartupInfo): string {
  const rows: [string, string][] = [
    ['listening', reachable(info)],
    ['data', info.dataDir === undefined ? 'in memory only, gone when the server ends' : info.dataDir],
    ['node', info.nodeId],
    ['auth', authLine(info)],
    ['telemetry', `${info.telemetry.state}: ${info.telemetry.reason}`],
  ];
  const lines = [info.product, ...rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`)];
  if (info.notice !== undefined && info.notice !== '') lines.push('', info.notice.trimEnd(), '');
  return lines.join('\n');
}

/** The line that tools wait for. Its shape never changes: `influxdb3 ready url=<url> pid=<pid>`. */
export function readinessLine(url: string, pid: number): string {
  return `influxdb3 ready url=${url} pid=${pid}`;
}

function reachable(info: StartupInfo): string {
  const everywhere = info.address.startsWith('0.0.0.0:') || info.address.startsWith('[::]:');
  return everywhere ? `${info.url} (all interfaces)` : info.url;
}

function authLine(info: StartupInfo): string {
  if (!info.authEnabled) return 'off: everybody who reaches the port may read and write';
  return info.hasAdminToken ? 'on' : 'on: make the first token with `influxdb3 create token --admin`';
}
