/** The select list: wildcards expanded, names given. */

import type { Expr, SelectItem } from '../parse/ast.ts';
import type { Env } from '../types/env.ts';
import { planError } from '../types/errors.ts';
import { type ColumnOrigin, columnLabel, lookup, noFieldNamed, type ScopeColumn, tablesNamed, visibleColumns } from '../types/scope.ts';
import { displayName } from './display.ts';
import { compileExpr } from './expr.ts';
import { containsAggregate, hasSubquery } from './walk.ts';

export interface ExpandedItem {
  readonly expr: Expr;
  readonly alias: string | undefined;
  /** Set for columns that a wildcard brought. */
  readonly column: ScopeColumn | undefined;
  /** The expression that names the column, where it is another one. */
  readonly shown?: Expr | undefined;
}

/**
 * The items of a SELECT with each wildcard replaced by its columns. Throws a planning error (400) for a wildcard that
 * names no table of FROM.
 */
export function expandItems(items: readonly SelectItem[], env: Env): readonly ExpandedItem[] {
  return items.flatMap((item): readonly ExpandedItem[] => {
    if (item.kind === 'expr') {
      const members = structMembers(item.expr, item.shown, env);
      // compat: one name cannot stand for several columns
      if (members && item.alias !== undefined)
        throw planError('unnest on struct can only be applied at the root level of select expression');
      return members ?? [{ expr: item.expr, alias: item.alias, column: undefined, shown: item.shown }];
    }
    return wildcardColumns(item, env).map((column) => {
      const owner = env.scope.tables.find((table) => table.columns.includes(column));
      return { expr: { kind: 'column', path: [...(owner?.path ?? []), column.name], quoted: [] }, alias: undefined, column };
    });
  });
}

/** `unnest` of a struct: a column for each member. Undefined for anything else. */
function structMembers(expr: Expr, shown: Expr | undefined, env: Env): readonly ExpandedItem[] | undefined {
  const [only] = expr.kind === 'call' && expr.name === 'unnest' ? expr.args : [];
  if (only === undefined || hasSubquery(only) || containsAggregate(only)) return undefined;
  const { type } = compileExpr(only, env);
  if (type.kind !== 'struct') return undefined;
  const label = displayName(shown?.kind === 'call' ? (shown.args[0] ?? only) : only, env);
  return type.members.map(({ name }) => ({
    expr: { kind: 'field', expr: only, name },
    alias: `__unnest_placeholder(${label}).${name}`,
    column: undefined,
  }));
}

function wildcardColumns(item: Extract<SelectItem, { kind: 'wildcard' }>, env: Env): readonly ScopeColumn[] {
  const columns = item.qualifier ? qualifiedColumns(item.qualifier, env) : visibleColumns(env.scope);
  if (!item.qualifier && env.scope.tables.length === 0) throw planError('SELECT * with no tables specified is not valid');
  for (const name of item.exclude) if (!columns.some((column) => column.name === name)) throw noFieldNamed(env.scope, [name]);
  return columns.filter((column) => !item.exclude.includes(column.name) && item.hidden?.includes(column.name) !== true);
}

function qualifiedColumns(qualifier: readonly string[], env: Env): readonly ScopeColumn[] {
  const tables = tablesNamed(env.scope, qualifier);
  if (tables.length === 0) throw planError(`Invalid qualifier ${qualifier.join('.')}`);
  return tables.flatMap((table) => table.columns);
}

/** Output name, and the qualified label that must be unique. */
export function itemNames(item: ExpandedItem, env: Env): { readonly name: string; readonly label: string } {
  if (item.column) return { name: item.column.name, label: columnLabel(item.column) };
  if (item.alias !== undefined) return { name: item.alias, label: item.alias };
  if (item.expr.kind === 'column' && item.shown === undefined) {
    const found = lookup(env.scope, item.expr.path);
    if (found && found.fields.length === 0) return { name: found.column.name, label: columnLabel(found.column) };
  }
  const label = displayName(item.shown ?? item.expr, env);
  return { name: label, label };
}

/** What a column that is only selected and renamed passes on. */
export function itemOrigin({ column, expr }: ExpandedItem, env: Env): ColumnOrigin | undefined {
  if (column) return column.origin;
  const found = expr.kind === 'column' ? lookup(env.scope, expr.path) : undefined;
  return found?.fields.length === 0 ? found.column.origin : undefined;
}

/** Two columns of the same name cannot both be asked for. */
export function checkUniqueLabels(items: readonly ExpandedItem[], labels: readonly string[], env: Env): void {
  const seen = new Map<string, number>();
  labels.forEach((label, position) => {
    const first = seen.get(label);
    if (first === undefined) {
      seen.set(label, position);
      return;
    }
    const shown = (index: number): string => {
      const item = items[index] as ExpandedItem;
      if (item.column) return columnLabel(item.column);
      return item.alias === undefined ? (labels[index] as string) : `${displayName(item.expr, env)} AS ${item.alias}`;
    };
    throw planError(
      `Projections require unique expression names but the expression "${shown(first)}" at position ${first} and "${shown(position)}" at position ${position} have the same name. Consider aliasing ("AS") one of them.`,
    );
  });
}
