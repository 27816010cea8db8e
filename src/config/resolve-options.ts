import { type AnyOptionSpec, argumentText } from './option-spec.ts';
import { nearest } from './suggest.ts';
import { UsageError, ValueError } from './usage-error.ts';
import type { ValueFacts } from './value-types.ts';

/** Environment as names and texts. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One use of an option on the command line. */
export interface Occurrence {
  /** Long flag as typed, without dashes. */
  readonly flag: string;
  /** Undefined for switches and for options given without their optional value. */
  readonly value: string | undefined;
}

export interface OptionSources {
  /** By canonical flag, in the order typed. */
  readonly commandLine: ReadonlyMap<string, readonly Occurrence[]>;
  readonly environment: Environment;
  readonly facts: ValueFacts;
}

/** What the user gave for an option, before it is parsed. */
export interface GivenOption {
  readonly source: 'command line' | 'environment';
  /** Text to parse; switches on the command line give `true`. */
  readonly text: string;
}

/** Finds what the user gave: command line before environment. Throws `UsageError` for an option given twice. */
export function givenOption(spec: AnyOptionSpec, sources: OptionSources): GivenOption | undefined {
  const typed = sources.commandLine.get(spec.flag) ?? [];
  if (typed.length > 0) return { source: 'command line', text: typedText(spec, typed) };
  const name = environmentNames(spec).find((candidate) => sources.environment[candidate] !== undefined);
  return name === undefined ? undefined : { source: 'environment', text: sources.environment[name] ?? '' };
}

/** Value of one option: given, else default, else undefined. Throws `UsageError` with the exact text of a wrong value. */
export function resolveOption(spec: AnyOptionSpec, sources: OptionSources): unknown {
  const given = givenOption(spec, sources);
  if (given !== undefined && !(spec.rawEnv && given.source === 'environment')) return parseOptionValue(spec, given.text, sources.facts);
  return spec.defaultText === undefined ? undefined : spec.type.parse(spec.defaultText, sources.facts);
}

/** How often a counted switch was typed. */
export function countOption(spec: AnyOptionSpec, sources: OptionSources): number {
  return sources.commandLine.get(spec.flag)?.length ?? 0;
}

/** Canonical environment name first, then the names of newer documentation. */
export function environmentNames(spec: AnyOptionSpec): readonly string[] {
  return [...(spec.env === undefined ? [] : [spec.env]), ...(spec.envAliases ?? [])];
}

/** Parses a text given for an option; a refusal becomes a usage error. */
export function parseOptionValue(spec: AnyOptionSpec, text: string, facts: ValueFacts): unknown {
  try {
    return spec.type.parse(text, facts);
  } catch (error) {
    if (error instanceof ValueError) throw valueUsageError(argumentText(spec), text, error);
    throw error;
  }
}

/** The usage error for a text that a value type refused. `argument` is the option with its placeholder. */
function valueUsageError(argument: string, text: string, refusal: ValueError): UsageError {
  const words = refusal.possibleValues;
  const list = words === undefined ? '' : `\n  [possible values: ${words.join(', ')}]`;
  if (refusal.missing) return new UsageError(`a value is required for '${argument}' but none was supplied${list}`);
  if (words === undefined) return new UsageError(`invalid value '${text}' for '${argument}': ${refusal.message}`);
  const near = nearest(text, words);
  const tip = near === undefined ? undefined : `a similar value exists: '${near}'`;
  return new UsageError(`invalid value '${text}' for '${argument}'${list}`, { tip });
}

function typedText(spec: AnyOptionSpec, typed: readonly Occurrence[]): string {
  const repeatable = spec.type.isList || spec.counted;
  if (typed.length > 1 && !repeatable) throw new UsageError(`the argument '${argumentText(spec)}' cannot be used multiple times`);
  if (spec.counted) return 'true';
  return typed.map(({ value }) => value ?? spec.bareValue ?? 'true').join(',');
}
