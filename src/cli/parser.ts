import { Command, Option } from 'commander';
import { type AnyOptionSpec, argumentText, nearest, type Occurrence, UsageError } from '../config/index.ts';
import type { CommandModel, CommandPath, GroupModel, LeafModel } from './command-model.ts';
import { shortHelp } from './help.ts';
import { type CliIo, write } from './io.ts';
import { givenOptions, missingArguments } from './leaf.ts';
import { lastOf, pathText, usageLine } from './usage.ts';

type Occurrences = Map<string, Occurrence[]>;

/** State of parsing one command line. */
interface ParseRun {
  readonly argv: readonly string[];
  readonly io: CliIo;
  readonly quickStart: boolean;
  /** By canonical flag; options of groups and commands together. */
  readonly occurrences: Occurrences;
  exitCode: number;
}

/** Marks an option that was given without its optional value. */
const noValue = '\0no value';

/** Parses the arguments by the models and runs the command. Answers with the exit code; throws `UsageError`. */
export async function parseAndRun(root: GroupModel, options: { argv: readonly string[]; io: CliIo; quickStart: boolean }): Promise<number> {
  const run: ParseRun = { ...options, occurrences: new Map(), exitCode: 0 };
  await buildCommand([root], run).parseAsync(untied(options.argv, root), { from: 'user' });
  return run.exitCode;
}

/** A command that looks like an option may have its first word tied to it: `create token --permission=db:a:read`. */
function untied(argv: readonly string[], root: GroupModel): string[] {
  let model: CommandModel = root;
  for (const [index, word] of argv.entries()) {
    if (model.kind !== 'group') break;
    const children: readonly CommandModel[] = model.children;
    const [name = '', value] = splitAtEquals(word);
    const child = children.find((each) => each.name === name || each.aliases.includes(name));
    if (child === undefined) break;
    if (value !== undefined) return name.startsWith('--') ? [...argv.slice(0, index), name, value, ...argv.slice(index + 1)] : [...argv];
    model = child;
  }
  return [...argv];
}

/** Commander does the walking; every message is ours. */
class InfluxCommand extends Command {
  readonly #path: CommandPath;

  constructor(path: CommandPath) {
    super(lastOf(path).name);
    this.#path = path;
  }

  unknownOption(argument: string): never {
    throw unknownArgument(argument, this.#path);
  }

  optionMissingArgument(option: Option): never {
    throw missingValue(specOf(option.long ?? '', this.#path));
  }

  _excessArguments(words: readonly string[]): never {
    const model = lastOf(this.#path);
    if (model.kind === 'group') throw unknownCommand(words[0] ?? '', this.#path);
    throw unknownArgument(words[model.positionals.length] ?? '', this.#path);
  }
}

function buildCommand(path: CommandPath, run: ParseRun): InfluxCommand {
  const model = lastOf(path);
  const command = new InfluxCommand(path);
  command.helpOption(false).helpCommand(false).exitOverride().enablePositionalOptions();
  command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  command.aliases([...model.aliases]);
  for (const spec of model.options) addOption(command, spec, run);
  if (model.kind === 'group') {
    for (const child of model.children) command.addCommand(buildCommand([...path, child] as CommandPath, run));
    command.action(() => groupAlone(model, path, run));
  } else {
    addLeaf(command, model, path, run);
  }
  return command;
}

function addLeaf(command: InfluxCommand, model: LeafModel, path: CommandPath, run: ParseRun): void {
  if (model.optionsFirst) command.passThroughOptions();
  for (const positional of model.positionals) command.argument(positional.variadic ? `[${positional.name}...]` : `[${positional.name}]`);
  command.action(async () => {
    checkGroups(path, run);
    run.exitCode = await model.run({ occurrences: run.occurrences, words: command.args, io: run.io, quickStart: run.quickStart }, path);
  });
}

function addOption(command: InfluxCommand, spec: AnyOptionSpec, run: ParseRun): void {
  for (const flag of [spec.flag, ...(spec.flagAliases ?? [])]) {
    const short = flag === spec.flag && spec.short !== undefined ? `-${spec.short}, ` : '';
    const value = spec.type.isSwitch
      ? ''
      : spec.bareValue === undefined
        ? ` <value${spec.type.isList && spaceSeparated(spec) ? '...' : ''}>`
        : ' [value]';
    const option = new Option(`${short}--${flag}${value}`).preset(noValue).argParser((text: string | undefined) => {
      const occurrence = { flag, value: text === undefined || text === noValue ? undefined : typedValue(text, flag, spec, run.argv) };
      run.occurrences.set(spec.flag, [...(run.occurrences.get(spec.flag) ?? []), occurrence]);
      return true;
    });
    command.addOption(option);
  }
}

/** Lists that take several words in a row. */
function spaceSeparated(spec: AnyOptionSpec): boolean {
  return spec.flag === 'tags' || spec.flag === 'restrict-plugin-triggers-to';
}

/** A value that looks like an option is one, unless it was tied to the flag with `=`. */
function typedValue(text: string, flag: string, spec: AnyOptionSpec, argv: readonly string[]): string {
  if (spec.short !== undefined && text.startsWith('=') && argv.includes(`-${spec.short}${text}`)) return text.slice(1);
  const tied = argv.includes(`--${flag}=${text}`) || argv.includes(`-${spec.short}${text}`);
  if (text.length > 1 && text.startsWith('-') && !tied && !/^-[0-9]/.test(text)) throw missingValue(spec);
  return text;
}

async function groupAlone(model: GroupModel, path: CommandPath, run: ParseRun): Promise<void> {
  if (model.aloneText !== undefined) throw new UsageError(model.aloneText, { usage: usageLine(path) });
  const given = givenOptions(model.options, run.occurrences, run.io.environment);
  if (given.length > 0) {
    const names = model.children.map((child) => child.name).join(', ');
    const message = `'${pathText(path)}' requires a subcommand but one was not provided\n  [subcommands: ${names}]`;
    throw new UsageError(message, { usage: usageLine(path) });
  }
  await write(run.io.stderr, shortHelp(path, { bold: false }));
  run.exitCode = 2;
}

/** Required options of the groups above a command (`show system --database`). */
function checkGroups(path: CommandPath, run: ParseRun): void {
  path.forEach((model, index) => {
    if (model.kind !== 'group') return;
    const given = givenOptions(model.options, run.occurrences, run.io.environment);
    const missing = model.options.filter((spec) => spec.required && !given.includes(spec)).map(argumentText);
    if (missing.length > 0) throw missingArguments(missing, path.slice(0, index + 1) as unknown as CommandPath, given);
  });
}

function unknownArgument(argument: string, path: CommandPath): UsageError {
  const flags = lastOf(path).options.flatMap((spec) => (spec.hidden ? [] : [`--${spec.flag}`]));
  const [name = '', value] = argument.startsWith('--') ? splitAtEquals(argument) : [argument];
  const known = lastOf(path).options.find((spec) => spec.type.isSwitch && `--${spec.flag}` === name);
  if (known !== undefined && value !== undefined) {
    return new UsageError(`unexpected value '${value}' for '${name}' found; no more were expected`, { usage: usageLine(path) });
  }
  const near = name.startsWith('--') ? nearest(name, flags) : undefined;
  const tip = near === undefined ? undefined : `a similar argument exists: '${near}'`;
  return new UsageError(`unexpected argument '${shortName(name)}' found`, { usage: usageLine(path), tip });
}

function unknownCommand(word: string, path: CommandPath): UsageError {
  if (word.startsWith('-')) return unknownArgument(word, path);
  const model = lastOf(path);
  const names = model.kind === 'group' ? model.children.flatMap((child) => [child.name, ...child.aliases]) : [];
  const near = nearest(word, names);
  const tip = near === undefined ? undefined : `a similar subcommand exists: '${near}'`;
  return new UsageError(`unrecognized subcommand '${word}'`, { usage: usageLine(path), tip });
}

function missingValue(spec: AnyOptionSpec): UsageError {
  const words = spec.type.possibleValues;
  const list = words === undefined || spec.type.isList ? '' : `\n  [possible values: ${words.join(', ')}]`;
  return new UsageError(`a value is required for '${argumentText(spec)}' but none was supplied${list}`);
}

function specOf(flag: string, path: CommandPath): AnyOptionSpec {
  const matches = (spec: AnyOptionSpec): boolean => [spec.flag, ...(spec.flagAliases ?? [])].some((name) => `--${name}` === flag);
  const found = lastOf(path).options.find(matches);
  if (found === undefined) throw new Error(`no option ${flag} in ${pathText(path)}`);
  return found;
}

function splitAtEquals(argument: string): [string, string | undefined] {
  const equals = argument.indexOf('=');
  return equals === -1 ? [argument, undefined] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

function shortName(name: string): string {
  return name.startsWith('-') && !name.startsWith('--') ? name.slice(0, 2) : name;
}
