import { legacyNames } from '../environment-aliases.ts';
import { type AnyOptionSpec, placeholderOf, type Section, sections } from '../option-spec.ts';
import { serveOptionEntries } from '../options.ts';

const preface = `# Configuration

Every option of \`influxdb3 serve\` can be given in four places. The first one that has it wins:

1. the command line,
2. the environment,
3. a file named \`.env\` in the working directory or the nearest folder above it (see \`.env.example\`),
4. the default.

\`influxdb3 serve\` without any option works. \`influxdb3 serve --check\` says what a start would use, and ends.
The tables below are generated from the options table of the program (\`npm run docs\`); a test fails when they differ.

## Values

| kind | how to write it |
|---|---|
| duration | numbers with units: \`1h 30m\`, \`100ms\`, \`7 days\`, \`1month\`. \`m\` is minutes, \`M\` is months. No decimals |
| memory size | a bare number is **megabytes**; \`512kb\`, \`2gb\`, \`100b\` (1024-based); \`20%\` of the memory of the machine or container |
| bytes | a bare number is bytes; \`kb\`, \`mb\`, \`gb\` are 1024-based |
| address | \`127.0.0.1:8181\`, \`[::1]:8181\`, \`localhost:8181\`; port 0 takes a free port |
| true or false | on the command line the bare flag means true; in the environment exactly \`true\` or \`false\` |
| list | comma separated |

A wrong value ends the program with exit code 2 and one line that names the option. Options marked *later* are read and
checked so that existing command lines work; this build does not act on them, and the start log lists those that were set.
`;

const postface = `## Other names

Names that newer documentation teaches are accepted; they are in the tables. If both names of one option are set to
different values, the first one in the table is used and a warning is printed.

These old environment names are read when the new name (\`INFLUXDB3_\` in front) is unset, with a warning:
${legacyNames.map((name) => `\`${name}\``).join(', ')}.
\`INFLUXDB3_NUM_THREADS\` and \`INFLUXDB3_DATAFUSION_NUM_THREADS\` stand for \`INFLUXDB3_NUM_IO_THREADS\` and
\`INFLUXDB3_NUM_DATAFUSION_THREADS\`.

The usage telemetry switches take more words than other booleans; docs/telemetry.md has the rules.

## Environment of the client commands

| variable | option | meaning |
|---|---|---|
| \`INFLUXDB3_HOST_URL\` | \`--host\` | server to talk to, default \`http://127.0.0.1:8181\` |
| \`INFLUXDB3_AUTH_TOKEN\` | \`--token\` | token |
| \`INFLUXDB3_DATABASE_NAME\` | \`--database\` | database; also the name that \`create database\` and \`delete database\` work on, so better not in a file |
| \`INFLUXDB3_TLS_CA\` | \`--tls-ca\` | one more trusted root certificate |
| \`INFLUXDB3_TLS_NO_VERIFY\` | \`--tls-no-verify\` | accept any certificate |
| \`INFLUXDB3_WRITE_HOST_URL\`, \`INFLUXDB3_QUERY_HOST_URL\` | \`--write-host\`, \`--query-host\` | another server for \`write\`, for \`query\` |
| \`NO_COLOR\` | | no bold and no colours on a terminal |
`;

/** The text of `docs/configuration.md`. */
export function configurationDoc(): string {
  return `${[preface, ...sections.flatMap((section) => sectionTable(section)), postface].join('\n').trimEnd()}\n`;
}

function sectionTable(section: Section): string[] {
  const specs = serveOptionEntries()
    .map(([, spec]) => spec)
    .filter((spec) => spec.section === section && !['cluster-id', 'wal-local-dir'].includes(spec.flag));
  if (specs.length === 0) return [];
  const rows = specs.map(
    (spec) => `| ${[flags(spec), environment(spec), spec.type.name, defaultOf(spec), meaning(spec)].map(escapeCell).join(' | ')} |`,
  );
  return [`## ${section}\n\n| option | environment | value | default | meaning |\n|---|---|---|---|---|\n${rows.join('\n')}\n`];
}

function flags(spec: AnyOptionSpec): string {
  const value = spec.type.isSwitch ? '' : ` <${placeholderOf(spec)}>`;
  const names = [
    `--${spec.flag}${value}`,
    ...(spec.short === undefined ? [] : [`-${spec.short}`]),
    ...(spec.flagAliases ?? []).map((flag) => `--${flag}`),
  ];
  return names.map((name) => `\`${name}\``).join(', ');
}

function environment(spec: AnyOptionSpec): string {
  const names = [...(spec.env === undefined ? [] : [spec.env]), ...(spec.envAliases ?? [])];
  return names.map((name) => `\`${name}\``).join(', ');
}

function defaultOf(spec: AnyOptionSpec): string {
  if (spec.defaultNote !== undefined) return spec.defaultNote;
  return spec.defaultText === undefined || spec.defaultText === '' ? 'none' : `\`${spec.defaultText}\``;
}

function meaning(spec: AnyOptionSpec): string {
  const place = spec.global ? ' (before the command)' : '';
  const later = spec.status === 'later' ? ' (*later*)' : '';
  return `${spec.help}${place}${later}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
