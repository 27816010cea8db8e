import { type AnyOptionSpec, type Section, sections } from '../option-spec.ts';
import { serveOptionEntries } from '../options.ts';

const preface = `# Settings of influxdb3, all commented out; the values shown are the defaults.
# Copy this file to .env and uncomment what you need. Generated from the options table: npm run docs
#
# - The program loads .env from the working directory or ANY folder above it; the nearest file wins, and variables
#   of the process win over the file.
# - Do not uncomment a line and leave it empty: empty paths, numbers, durations and booleans are errors.
# - Booleans are true or false, nothing else.
# - INFLUXDB3_DATABASE_NAME in such a file becomes the database that create and delete work on. Leave it out.
`;

const clientLines = [
  ['INFLUXDB3_HOST_URL', 'http://127.0.0.1:8181', 'Server that the client commands talk to'],
  ['INFLUXDB3_AUTH_TOKEN', '', 'Token of the client commands'],
  ['INFLUXDB3_TLS_CA', '', 'One more trusted root certificate, PEM or .der'],
  ['INFLUXDB3_TLS_NO_VERIFY', 'false', 'Accept any certificate of the server'],
] as const;

/** The text of `.env.example`. */
export function envExample(): string {
  const blocks = sections.flatMap((section) => sectionBlock(section));
  const client = clientLines.map(([name, value, help]) => `# ${help}\n#${name}=${value}`);
  return `${[preface, ...blocks, `# --- Command-line client ---\n${client.join('\n')}`].join('\n')}\n`;
}

function sectionBlock(section: Section): string[] {
  const specs = serveOptionEntries()
    .map(([, spec]) => spec)
    .filter((spec) => spec.section === section && spec.env !== undefined && !spec.hidden);
  return specs.length === 0 ? [] : [`# --- ${section} ---\n${specs.map(lineOf).join('\n')}\n`];
}

function lineOf(spec: AnyOptionSpec): string {
  const note = spec.defaultNote === undefined ? '' : ` (default: ${spec.defaultNote})`;
  const later = spec.status === 'later' ? ' [accepted, not used yet]' : '';
  return `# ${spec.help}${note}${later}\n#${spec.env}=${spec.defaultText ?? ''}`;
}
