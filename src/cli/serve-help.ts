import { type AnyOptionSpec, type Section, serveOptionEntries } from '../config/index.ts';
import { block, type HelpStyle, heading, optionRow } from './help.ts';

/** Headings of the long text, each with the sections of the table below it. */
const longHeadings: readonly (readonly [string, readonly Section[]])[] = [
  ['Server Configuration:', ['Node and storage']],
  ['TLS & Authentication:', ['Authentication']],
  ['HTTP Configuration:', ['HTTP and TLS']],
  ['Storage: AWS S3:', ['S3-compatible storage']],
  ['Storage: Google Cloud and Azure Blob:', ['Google and Azure storage']],
  ['Storage: Object Store Advanced:', ['Object-store client tuning']],
  ['Processing Engine:', ['Processing engine']],
  ['Data Lifecycle & Retention:', ['Retention and deletion', 'Limits of the catalog']],
  ['Write-Ahead Log (WAL):', ['Write-ahead log and snapshots']],
  ['Cache Options:', ['Caches']],
  ['Memory Management:', ['Memory and query limits']],
  ['DataFusion:', ['Engine threads']],
  ['Logging and Tracing:', ['Logging']],
  ['Usage Telemetry:', ['Usage telemetry']],
  ['Additional Options:', ['Tests and tooling']],
];

/** Help of `serve`; `all` shows every option that is not hidden. */
export function serveHelp(style: HelpStyle, all: boolean): string {
  const options = serveOptionEntries()
    .map(([, spec]) => spec)
    .filter((spec) => !spec.hidden && !spec.global);
  const parts = [
    'Run the InfluxDB 3 Core (TypeScript) server',
    `${heading('Examples:', style)}
  # Everything at its default: node <hostname>-node, data in ~/.influxdb3, port 8181
  influxdb3 serve
  # A name, a folder and a port of your own
  influxdb3 serve --node-id node0 --object-store file --data-dir /var/lib/influxdb3 --http-bind 127.0.0.1:8181
  # Only look at the configuration
  influxdb3 serve --check`,
    `${heading('Usage:', style)} influxdb3 serve [OPTIONS]`,
    ...(all ? longParts(options, style) : shortParts(options, style)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function shortParts(options: readonly AnyOptionSpec[], style: HelpStyle): string[] {
  const rows = options.filter((spec) => spec.common).map((spec) => optionRow(spec, style));
  return [
    block('Common Options:', rows, style),
    block(
      'Additional Options:',
      [
        ['-h, --help', 'Print help'],
        ['--help-all', `Print all ${options.length} options`],
      ],
      style,
    ),
    'Options can be set in the environment too, also through a .env file in the working directory or above.',
  ];
}

function longParts(options: readonly AnyOptionSpec[], style: HelpStyle): string[] {
  const parts = longHeadings.map(([title, names]) => {
    const rows = options.filter((spec) => names.includes(spec.section)).map((spec) => markedRow(spec, style));
    const help: [string, string][] =
      title === 'Additional Options:'
        ? [
            ['-h, --help', 'Print help'],
            ['    --help-all', 'Print this help'],
          ]
        : [];
    return block(title, [...rows, ...help], style);
  });
  return [...parts, '(later) = accepted and checked, but this build does not act on it yet; the start log says so.'];
}

function markedRow(spec: AnyOptionSpec, style: HelpStyle): [string, string] {
  const [left, right] = optionRow(spec, style);
  return [left, spec.status === 'later' ? `(later) ${right}` : right];
}
