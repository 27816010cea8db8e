import { type AnyOptionSpec, type Environment, environmentNames, placeholderOf } from '../config/index.ts';
import type { CommandModel, CommandPath } from './command-model.ts';
import { lastOf, positionalText, usageLine } from './usage.ts';

export interface HelpStyle {
  readonly bold: boolean;
  /** Shows current values of environment variables. */
  readonly environment?: Environment;
}

/** Generated help of any command. */
export function shortHelp(path: CommandPath, style: HelpStyle): string {
  const model = lastOf(path);
  const parts = [model.about, `${heading('Usage:', style)} ${usageLine(path)}`];
  if (model.kind === 'group') parts.push(block('Commands:', model.children.map(commandRow), style));
  if (model.kind === 'leaf' && model.positionals.length > 0) {
    parts.push(
      block(
        'Arguments:',
        model.positionals.map((word) => [positionalText(word), word.help + envNote(word.env, style)]),
        style,
      ),
    );
  }
  const options = model.options.filter((spec) => !spec.hidden).map((spec) => optionRow(spec, style));
  parts.push(block('Options:', [...options, ['-h, --help', 'Print help']], style));
  return `${parts.join('\n\n')}\n`;
}

/** Name and aliases of a command with what it does. */
function commandRow(model: CommandModel): [string, string] {
  return [[model.name, ...model.aliases].join(', '), model.about];
}

/** One option: names on the left, description with environment, default and possible values on the right. */
export function optionRow(spec: AnyOptionSpec, style: HelpStyle): [string, string] {
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
  const value = spec.type.isSwitch ? '' : spec.bareValue === undefined ? ` <${placeholderOf(spec)}>` : ` [<${placeholderOf(spec)}>]`;
  return [`${short}--${spec.flag}${value}`, spec.help + optionNotes(spec, style)];
}

/** A heading with indented rows; descriptions line up. */
export function block(title: string, rows: readonly (readonly [string, string])[], style: HelpStyle): string {
  const width = Math.min(44, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`.trimEnd(),
  );
  return [heading(title, style), ...lines].join('\n');
}

/** Bold and underlined on a terminal. */
export function heading(text: string, style: HelpStyle): string {
  return style.bold ? `\u001b[1m\u001b[4m${text}\u001b[0m` : text;
}

function optionNotes(spec: AnyOptionSpec, style: HelpStyle): string {
  const words = spec.type.possibleValues;
  const shownDefault = spec.defaultNote ?? (spec.type.isSwitch || spec.defaultText === '' ? undefined : spec.defaultText);
  return [
    envNote(environmentNames(spec)[0], style, spec.secret),
    shownDefault === undefined ? '' : ` [default: ${shownDefault}]`,
    words === undefined || spec.type.isSwitch ? '' : ` [possible values: ${words.join(', ')}]`,
  ].join('');
}

function envNote(name: string | undefined, style: HelpStyle, secret = false): string {
  if (name === undefined) return '';
  return secret ? ` [env: ${name}]` : ` [env: ${name}=${style.environment?.[name] ?? ''}]`;
}
