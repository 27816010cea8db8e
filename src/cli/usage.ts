import { type AnyOptionSpec, argumentText } from '../config/index.ts';
import type { CommandModel, CommandPath, Positional } from './command-model.ts';

/** `influxdb3 create table`. */
export function pathText(path: CommandPath): string {
  return path.map((model) => model.name).join(' ');
}

/** Usage line of help and of errors about unknown words. */
export function usageLine(path: CommandPath): string {
  const model = lastOf(path);
  if (model.kind === 'group') {
    const head = path.length === 1 ? ['influxdb3', '[OPTIONS]'] : [pathText(path), ...requiredOptions(model)];
    return [...head, path.length === 1 ? '[COMMAND]' : '<COMMAND>'].join(' ');
  }
  const optionWord = model.options.some((spec) => !spec.required) ? ['[OPTIONS]'] : [];
  return [pathText(path), ...optionWord, ...requiredOptions(model), ...model.positionals.map(positionalText)].join(' ');
}

/** Usage line of a missing argument: what is required and what was given, nothing else. */
export function usageLineWith(path: CommandPath, given: readonly AnyOptionSpec[]): string {
  const model = lastOf(path);
  const shown = model.options.filter((spec) => spec.required || given.includes(spec));
  const required = shown.filter((spec) => spec.required);
  const others = shown.filter((spec) => !spec.required);
  const words = [...required, ...others].map(argumentText);
  const tail = model.kind === 'group' ? ['<COMMAND>'] : model.positionals.map(positionalText);
  return [pathText(path), ...words, ...tail].join(' ');
}

/** `<TABLE_NAME>`, `[QUERY]`, `[PACKAGES]...`. */
export function positionalText(positional: Positional): string {
  const name = positional.required ? `<${positional.name}>` : `[${positional.name}]`;
  return positional.variadic ? `${name}...` : name;
}

/** The command at the end of a path. */
export function lastOf(path: CommandPath): CommandModel {
  return path[path.length - 1] ?? path[0];
}

function requiredOptions(model: CommandModel): string[] {
  return model.options.filter((spec) => spec.required).map(argumentText);
}
