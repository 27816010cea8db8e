import type { GroupModel } from './command-model.ts';
import { block, type HelpStyle, heading, optionRow } from './help.ts';

const commandSections: readonly (readonly [string, readonly string[]])[] = [
  ['Common Commands:', ['serve', 'query', 'write', 'update']],
  ['Resource Management:', ['create', 'show', 'delete', 'undelete', 'enable', 'disable']],
  ['System Management:', ['import', 'backup', 'restore', 'copy', 'install', 'test', 'telemetry', 'healthcheck', 'debug', 'completion']],
];

/** Help of the program itself. `all` adds the options that stand before a command. */
export function topHelp(root: GroupModel, style: HelpStyle, all: boolean): string {
  const parts = [
    'InfluxDB 3 Core (TypeScript) Server and Command Line Tools',
    `${heading('Examples:', style)}
  # Run the server with everything at its default: data in ~/.influxdb3, port 8181
  influxdb3 serve
  # Run the server with a name and a folder of your own
  influxdb3 serve --node-id node0 --object-store file --data-dir ~/.influxdb3`,
    `${heading('Usage:', style)} influxdb3 [OPTIONS] [COMMAND]`,
    ...commandSections.map(([title, names]) => block(title, namedRows(root, names), style)),
  ];
  const common: [string, string][] = [
    ['-h, --help', 'Print help'],
    ['-V, --version', 'Print version'],
  ];
  if (all) {
    parts.push(
      block(
        'Configuration Options:',
        root.options.map((spec) => optionRow(spec, style)),
        style,
      ),
    );
    parts.push(block('Additional Options:', common, style));
    parts.push("Help of one command: 'influxdb3 <COMMAND> --help'\nDocumentation: docs/ in the package, README.md first");
  } else {
    parts.push(block('Common Options:', common, style));
    parts.push(block('Advanced Help Options:', [['--help-all', 'Print help with the runtime options']], style));
  }
  return `${parts.join('\n\n')}\n`;
}

function namedRows(root: GroupModel, names: readonly string[]): [string, string][] {
  return root.children
    .filter((child) => names.includes(child.name))
    .sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
    .map((child) => [[child.name, ...child.aliases].join(', '), child.about]);
}
