import type { StartupInfo } from '../app/contract.ts';

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
