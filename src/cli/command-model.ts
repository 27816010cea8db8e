import { type AnyOptionSpec, type Occurrence, type OptionSpec, type ValueType, valueTypes } from '../config/index.ts';
import type { CliIo } from './io.ts';

/** A word after the options. */
export interface Positional {
  /** Upper snake case name. */
  readonly name: string;
  readonly required: boolean;
  /** Takes all remaining words. */
  readonly variadic?: boolean;
  /** Environment variable that stands in for a missing word. */
  readonly env?: string;
  readonly help: string;
}

/** What the command line held, before values are judged. */
export interface RawCall {
  readonly occurrences: ReadonlyMap<string, readonly Occurrence[]>;
  readonly words: readonly string[];
  readonly io: CliIo;
  /** Options typed before a sub-command of `show system` and at the top level. */
  readonly quickStart: boolean;
}

/** A command that does something. */
export interface LeafModel {
  readonly kind: 'leaf';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly about: string;
  readonly options: readonly AnyOptionSpec[];
  readonly positionals: readonly Positional[];
  /** After the first positional everything is positional. */
  readonly optionsFirst: boolean;
  /** Answers with the exit code. */
  run(call: RawCall, path: CommandPath): Promise<number>;
}

/** A command that only holds others; its options belong to all of them. */
export interface GroupModel {
  readonly kind: 'group';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly about: string;
  readonly options: readonly AnyOptionSpec[];
  readonly children: readonly CommandModel[];
  /** Error text when no sub-command follows, instead of the help. */
  readonly aloneText?: string;
}

export type CommandModel = LeafModel | GroupModel;

/** The models from the program down to one command. */
export type CommandPath = readonly [GroupModel, ...CommandModel[]];

export type OptionTable = Readonly<Record<string, AnyOptionSpec>>;

/** Value that a command sees: required and defaulted options are always there. */
export type CliValue<S> =
  S extends OptionSpec<infer T, infer D> ? (S extends { readonly required: true } ? T : D extends string ? T : T | undefined) : never;

type Draft<T> = {
  readonly flag: string;
  readonly short?: string;
  readonly env?: string;
  readonly placeholder?: string;
  readonly help: string;
  readonly type: ValueType<T>;
  readonly hidden?: boolean;
  readonly secret?: boolean;
  readonly flagAliases?: readonly string[];
};

const base = { section: 'Command-line client', status: 'core' } as const;

/** An option that may be left out. */
export function optional<T>(draft: Draft<T>): OptionSpec<T, undefined> {
  return { ...base, ...draft, defaultText: undefined };
}

/** An option that must be there. */
export function required<T>(draft: Draft<T>): OptionSpec<T, undefined> & { readonly required: true } {
  return { ...base, ...draft, defaultText: undefined, required: true };
}

/** An option with a default. */
export function defaulted<T>(defaultText: string, draft: Draft<T>): OptionSpec<T, string> {
  return { ...base, ...draft, defaultText };
}

/** A presence switch. */
export function flag(draft: Omit<Draft<boolean>, 'type'>): OptionSpec<boolean, string> {
  return defaulted('false', { ...draft, type: valueTypes.boolean });
}

/** A group of commands. */
export function group(
  model: Omit<GroupModel, 'kind' | 'aliases' | 'options'> & Partial<Pick<GroupModel, 'aliases' | 'options'>>,
): GroupModel {
  return { kind: 'group', aliases: [], options: [], ...model };
}
