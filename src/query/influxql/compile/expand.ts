/** Wildcards, regular expressions and the names of columns. */
import { selectError } from './errors.ts';
import { acceptsType, functionKind } from './functions.ts';
import type { CallExpr, Expr, Field } from './ir.ts';
import { type NamePattern, namePattern } from './name-pattern.ts';
import type { ValueType } from './types.ts';

export interface NamedField {
  readonly expr: Expr;
  readonly name: string;
}

/** Columns of all measurements together. */
export interface ColumnSet {
  readonly columns: ReadonlyMap<string, ValueType>;
  /** Tags that a wildcard leaves out: they are in front anyway. */
  readonly groupTags: ReadonlySet<string>;
}

/** The columns that a SELECT list stands for, with unique names. `time` alone stands for nothing. */
export function expandFields(fields: readonly Field[], set: ColumnSet): NamedField[] {
  const named: NamedField[] = [];
  for (const field of fields) named.push(...expandField(field, set));
  return uniqueFields(named);
}

function expandField({ expr, alias }: Field, set: ColumnSet): NamedField[] {
  if (expr.kind === 'wildcard' || isRegex(expr)) return matching(expr, set).map((name) => ({ expr: ref(name), name }));
  const name = alias ?? fieldName(expr);
  if (expr.kind === 'call') return expandCall(expr, alias, set);
  if (expr.kind === 'binary' && hasWildcard(expr)) {
    throw selectError('unsupported binary expression: contains a wildcard or regular expression');
  }
  return [{ expr, name }];
}

function ref(name: string): Expr {
  return { kind: 'ref', name, cast: undefined };
}

function isRegex(expr: Expr): boolean {
  return expr.kind === 'literal' && expr.literal.kind === 'regex';
}

function hasWildcard(expr: Expr): boolean {
  if (expr.kind === 'wildcard' || isRegex(expr)) return true;
  if (expr.kind === 'call') return expr.args.some(hasWildcard);
  return expr.kind === 'binary' && (hasWildcard(expr.left) || hasWildcard(expr.right));
}

/** Names of the columns that a wildcard or regular expression of the SELECT list means, sorted. */
function matching(expr: Expr, { columns, groupTags }: ColumnSet): string[] {
  const names = [...columns.keys()].sort(byCodePoint).filter((name) => columns.get(name) !== 'tag' || !groupTags.has(name));
  if (expr.kind === 'wildcard') {
    if (expr.only === undefined) return names;
    return names.filter((name) => (columns.get(name) === 'tag') === (expr.only === 'tag'));
  }
  const pattern = regexOf(expr);
  return names.filter((name) => pattern.test(name));
}

function regexOf(expr: Expr): NamePattern {
  return namePattern(expr.kind === 'literal' && expr.literal.kind === 'regex' ? expr.literal.source : '');
}

/** `fn(*)`: one call for each field that the innermost function accepts. */
function expandCall(call: CallExpr, alias: string | undefined, set: ColumnSet): NamedField[] {
  const name = alias ?? call.name;
  const inner = innermost(call);
  const [target] = inner.args;
  if (target === undefined || !(target.kind === 'wildcard' || isRegex(target))) {
    if (call.args.some((arg) => arg.kind === 'binary' && hasWildcard(arg))) {
      throw selectError('unsupported binary expression: contains a wildcard or regular expression');
    }
    return [{ expr: call, name }];
  }
  functionKind(inner.name);
  if (target.kind === 'wildcard' && target.only === 'tag') throw selectError(`unable to use tag as wildcard in ${inner.name}()`);
  const fields = matching(target, set).filter((field) => acceptsType(inner.name, set.columns.get(field) ?? 'null'));
  return fields.map((field) => ({ expr: replaceInnermost(call, ref(field)), name: `${name}_${field}` }));
}

function innermost(call: CallExpr): CallExpr {
  const [first] = call.args;
  return first?.kind === 'call' ? innermost(first) : call;
}

function replaceInnermost(call: CallExpr, field: Expr): CallExpr {
  const [first, ...rest] = call.args;
  return { ...call, args: [first?.kind === 'call' ? replaceInnermost(first, field) : field, ...rest] };
}

function fieldName(expr: Expr): string {
  if (expr.kind === 'ref' || expr.kind === 'call') return expr.name;
  return expr.kind === 'binary' ? namesIn(expr).join('_') : '';
}

function namesIn(expr: Expr): string[] {
  if (expr.kind === 'ref' || expr.kind === 'call') return [expr.name];
  return expr.kind === 'binary' ? [...namesIn(expr.left), ...namesIn(expr.right)] : [];
}

function uniqueFields(fields: readonly NamedField[]): NamedField[] {
  const counts = new Map<string, number>();
  const used = new Set(fields.map((field) => field.name));
  return fields.map((field) => {
    const seen = counts.get(field.name);
    counts.set(field.name, seen ?? 0);
    if (seen === undefined) return field;
    let number = seen + 1;
    while (used.has(`${field.name}_${number}`)) number++;
    counts.set(field.name, number);
    used.add(`${field.name}_${number}`);
    return { ...field, name: `${field.name}_${number}` };
  });
}

/** Order of names in UTF-8. */
export function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
