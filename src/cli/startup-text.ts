import type { StartupInfo } from '../app/contract.ts';

/** What client commands ask without `--host`. */
const DEFAULT_URL = 'http://127.0.0.1:8181';

const NODES_SHOWN_MAX = 5;

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
  if (info.otherNodes.length > 0) lines.push('', otherNodesText(info), '');
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
  if (info.hasAdminToken) return 'on';
  const command = `influxdb3 create token --admin${info.url === DEFAULT_URL ? '' : ` --host ${info.url}`}`;
  if (info.remoteFirstToken) return `on: whoever reaches the port first can make the first token: \`${command}\``;
  return `on: make the first token on this machine with \`${command}\``;
}

/** A container that got another host name starts as another node. */
function otherNodesText({ otherNodes, nodeId }: StartupInfo): string {
  const [first = ''] = otherNodes;
  const shown = otherNodes.slice(0, NODES_SHOWN_MAX).join(', ');
  const names = otherNodes.length > NODES_SHOWN_MAX ? `${shown} and ${otherNodes.length - NODES_SHOWN_MAX} more` : shown;
  const nodes = otherNodes.length === 1 ? `node ${names}, which` : `nodes ${names}, which`;
  return `NOTICE: node ${nodeId} is new and empty. The data directory has data of ${nodes} this server does not show: start it with --node-id ${first} for that data.`;
}
