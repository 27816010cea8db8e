/** How the tables of functions are written. */

import type { StatementState } from '../types/env.ts';
import { planError } from '../types/errors.ts';
import type { Typed } from '../types/typed.ts';
import type { SqlType } from '../types/types.ts';

export interface ScalarCall {
  /** As called, folded. */
  readonly name: string;
  readonly args: readonly Typed[];
  readonly state: StatementState;
}

export type ScalarCompiler = (call: ScalarCall) => Typed;

export interface ScalarFunction {
  readonly argsMin: number;
  readonly argsMax: number;
  readonly compile: ScalarCompiler;
}

export type FunctionTable = Readonly<Record<string, ScalarFunction>>;

/** Builds a table from groups of `[names, argsMin, argsMax, compiler]`; names are separated by blanks. */
export function defineFunctions(rows: readonly (readonly [string, number, number, ScalarCompiler])[]): FunctionTable {
  const table: Record<string, ScalarFunction> = Object.create(null) as Record<string, ScalarFunction>;
  for (const [names, argsMin, argsMax, compile] of rows) {
    for (const name of names.split(' ')) table[name] = { argsMin, argsMax, compile };
  }
  return table;
}

/** Throws a planning error (400) when a function has fewer than `min` or more than `max` arguments. */
export function checkArgCount(name: string, count: number, min: number, max: number): void {
  if (count >= min && count <= max) return;
  const wanted = min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
  throw planError(`'${name}' function requires ${wanted} argument${wanted === '1' ? '' : 's'}, got ${count}`);
}

/** Argument `index`; the caller has checked the count. */
export function arg(call: ScalarCall, index: number): Typed {
  const value = call.args[index];
  if (!value) throw planError(`'${call.name}' function is missing argument ${index + 1}`);
  return value;
}

/** The SQL of all values with commas between them. */
export function sqlList(values: readonly Typed[]): string {
  return values.map((value) => value.sql).join(', ');
}

/** Same function of DuckDB, arguments as they are. */
export function native(name: string, type: SqlType): ScalarCompiler {
  return (call) => ({ sql: `${name}(${sqlList(call.args)})`, type });
}

/** A constant text argument, or undefined. */
export function constantText(value: Typed | undefined): string | undefined {
  return value?.constant?.kind === 'string' ? value.constant.value : undefined;
}

/** Ending of the names of macros that make values for each row, and may make less of it. */
export const PER_ROW_SUFFIX = '_r';

/** Name of a macro with a bound on what it makes: a lower one unless all of its arguments are constants. */
export function boundedMacro(name: string, args: readonly Typed[]): string {
  return args.every((value) => value.constant !== undefined) ? `_df.${name}` : `_df.${name}${PER_ROW_SUFFIX}`;
}
