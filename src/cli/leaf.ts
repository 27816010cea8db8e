import {
  type AnyOptionSpec,
  argumentText,
  type Environment,
  environmentNames,
  readHostFacts,
  resolveOption,
  UsageError,
} from '../config/index.ts';
import type { CliValue, CommandPath, LeafModel, OptionTable, Positional, RawCall } from './command-model.ts';
import type { CliIo } from './io.ts';
import { positionalText, usageLineWith } from './usage.ts';

/** What a command gets to work with. */
export interface Call<O extends OptionTable> {
  readonly values: { readonly [N in keyof O]: CliValue<O[N]> };
  readonly words: readonly string[];
  readonly io: CliIo;
  /** The command as typed, for messages. */
  readonly path: CommandPath;
  /** Options as typed, for commands that build a configuration of the server from them. */
  readonly typed: RawCall['occurrences'];
}

interface LeafDraft<O extends OptionTable> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly about: string;
  readonly options: O;
  /** Flags of `options` that stand before the command and belong to its group. */
  readonly groupFlags?: readonly string[];
  readonly positionals?: readonly Positional[];
  readonly optionsFirst?: boolean;
  /** Exit code; nothing = 0. */
  run(call: Call<O>): Promise<number | undefined>;
}

/** A command whose options and words are judged before it runs. */
export function leaf<const O extends OptionTable>(draft: LeafDraft<O>): LeafModel {
  const options = Object.values(draft.options).filter((spec) => !draft.groupFlags?.includes(spec.flag));
  const positionals = draft.positionals ?? [];
  return {
    kind: 'leaf',
    name: draft.name,
    aliases: draft.aliases ?? [],
    about: draft.about,
    options,
    positionals,
    optionsFirst: draft.optionsFirst ?? false,
    async run(raw, path) {
      const words = fillWords(positionals, raw);
      requireAll(options, positionals, words, raw, path);
      const sources = { commandLine: raw.occurrences, environment: raw.io.environment, facts: readHostFacts() };
      const values = Object.fromEntries(Object.entries(draft.options).map(([name, spec]) => [name, resolveOption(spec, sources)]));
      return (await draft.run({ values: values as Call<O>['values'], words, io: raw.io, path, typed: raw.occurrences })) ?? 0;
    },
  };
}

/** Options that were typed or that the environment gives. */
export function givenOptions(options: readonly AnyOptionSpec[], typed: RawCall['occurrences'], environment: Environment): AnyOptionSpec[] {
  return options.filter((spec) => typed.has(spec.flag) || environmentNames(spec).some((name) => environment[name] !== undefined));
}

function fillWords(positionals: readonly Positional[], raw: RawCall): readonly string[] {
  const words = [...raw.words];
  for (const positional of positionals.slice(words.length)) {
    const value = positional.env === undefined ? undefined : raw.io.environment[positional.env];
    if (value === undefined) break;
    words.push(value);
  }
  return words;
}

function requireAll(
  options: readonly AnyOptionSpec[],
  positionals: readonly Positional[],
  words: readonly string[],
  raw: RawCall,
  path: CommandPath,
): void {
  const given = givenOptions(options, raw.occurrences, raw.io.environment);
  const missing = options.filter((spec) => spec.required && !given.includes(spec)).map(argumentText);
  missing.push(...positionals.filter((positional, index) => positional.required && index >= words.length).map(positionalText));
  if (missing.length > 0) throw missingArguments(missing, path, given);
}

/** A required argument or option is missing. */
export function missingArguments(missing: readonly string[], path: CommandPath, given: readonly AnyOptionSpec[]): UsageError {
  const list = missing.map((argument) => `\n  ${argument}`).join('');
  return new UsageError(`the following required arguments were not provided:${list}`, { usage: usageLineWith(path, given) });
}
