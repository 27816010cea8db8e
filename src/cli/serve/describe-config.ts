import type { ServeConfig } from '../../config/index.ts';

/** What a start with this configuration would use (`serve --check`). No secrets. */
export function describeConfig(config: ServeConfig, telemetry: { readonly state: 'on' | 'off'; readonly reason: string }): string {
  const scheme = config.http.tls === undefined ? 'http' : 'https';
  const host = config.http.host.includes(':') ? `[${config.http.host}]` : config.http.host;
  const params = Object.entries(JSON.parse(config.cliParams) as Record<string, string>);
  const given = params.filter(([name]) => name !== 'check').map(([name, value]) => `${name}=${value}`);
  const rows: [string, string][] = [
    ['node', config.node.id],
    ['listen', `${scheme}://${host}:${config.http.port}`],
    ['store', config.store.kind],
    ['data', dataPlace(config)],
    ['auth', config.auth.enabled ? 'on' : 'off'],
    ['telemetry', `${telemetry.state}: ${telemetry.reason}`],
    ['log', `${config.log.format} to ${config.log.destination}, ${config.log.filter}`],
    ['given', given.length === 0 ? 'nothing, all defaults' : given.join(' ')],
    ...(config.inactiveOptions.length === 0 ? [] : [['not used', config.inactiveOptions.join(' ')] as [string, string]]),
  ];
  return ['configuration is valid', ...rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`)].join('\n');
}

function dataPlace({ node, store }: ServeConfig): string {
  const cached = `files cached in ${store.cacheDir}`;
  switch (store.kind) {
    case 's3':
      return `s3://${store.bucket}/${node.id}, ${cached}`;
    case 'azure':
      return `${store.azureEndpoint ?? `https://${store.azureAccount}.blob.core.windows.net`}/${store.bucket}/${node.id}, ${cached}`;
    case 'google':
      return `gs://${store.bucket}/${node.id}, ${cached}`;
    default:
      return store.dataDir ?? 'not on disk';
  }
}
