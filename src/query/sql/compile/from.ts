/** The FROM clause: its SQL and the names it brings. */

import type { ColumnType } from '../../../shared/column-type.ts';
import type { FunctionRef, JoinRef, TableAlias, TableRef } from '../parse/ast.ts';
import { placed } from '../parse/text-place.ts';
import type { CacheFunctionName, RelationInfo } from '../types/contract.ts';
import type { CteScope, Env, NamedCte, OutputColumn } from '../types/env.ts';
import { notImplemented, planError, schemaError } from '../types/errors.ts';
import { type ColumnOrigin, emptyScope, type MutableUse, type Scope, type ScopeColumn, type ScopeTable } from '../types/scope.ts';
import { type Bound, type Typed, typed } from '../types/typed.ts';
import { commonType, relationColumnType } from '../types/types.ts';
import { comparable } from '../values/comparisons.ts';
import { compileCondition, compileExpr, nestedSql } from './expr.ts';
import { resolveRelation } from './relations.ts';
import { madeTable } from './table-functions.ts';

export interface FromClause {
  readonly sql: string;
  readonly scope: Scope;
}

/** Name of the source of use `index` in the printed statement. */
export function sourceName(index: number): string {
  return `s${index}`;
}

/**
 * A table, subquery, table function or join as DuckDB SQL, with the columns that it adds to the scope. Throws a planning
 * error (400) for unknown tables.
 */
export function compileFrom(ref: TableRef, env: Env): FromClause {
  switch (ref.kind) {
    case 'table':
      return table(ref.parts, ref.alias, env);
    case 'derived':
      return derived(ref, env);
    case 'function':
      return tableFunction(ref, env);
    case 'join':
      return join(ref, env);
  }
}

function table(parts: readonly string[], alias: TableAlias | undefined, env: Env): FromClause {
  const cte = parts.length === 1 ? findCte(env.ctes, parts[0] as string) : undefined;
  if (cte?.target.kind === 'named') return named(cte.target.cte, alias ?? { name: cte.name, columns: [] }, env);
  if (cte?.target.kind === 'inline') {
    const { cte: definition, ctes } = cte.target;
    const query = env.state.compileNested(definition.query, env.state, emptyScope(undefined), ctes);
    const columns = renamed(query.columns, definition.columns);
    return fromQuery(nestedSql(query), columns, alias ?? { name: cte.name, columns: [] }, env);
  }
  const relation = resolveRelation(env.state, parts);
  const path = alias ? [alias.name] : ['public', relation.schema, relation.name];
  return relationClause(relation, alias, { path, qualifier: alias ? alias.name : parts.join('.') }, env);
}

/** One use of a relation, with the names that its columns can be called by. */
function relationClause(
  relation: RelationInfo,
  alias: TableAlias | undefined,
  { path, qualifier }: { readonly path: readonly string[]; readonly qualifier: string },
  env: Env,
): FromClause {
  const { use, index } = env.state.addUse(relation);
  const name = env.state.freshName('t');
  const quoted = env.state.quotedColumns(relation);
  const columns = relation.columns.map(
    (column, position): ScopeColumn => ({
      name: column.name,
      qualifier,
      sql: `${name}.${quoted[position]}`,
      type: relationColumnType(column.type),
      use,
      timeUses: column.type === 'time' && column.name === 'time' ? [use] : [],
      origin: originOf(relation, column),
      ...(column.type === 'tag' && relation.schema === 'iox' ? { tag: { use, name: column.name } } : {}),
    }),
  );
  return { sql: `${sourceName(index)} AS ${name}`, scope: scopeOf({ path, columns: aliased(columns, alias) }, env) };
}

function originOf({ schema }: RelationInfo, { name, type, required }: RelationInfo['columns'][number]): ColumnOrigin {
  const isTime = type === 'time' && name === 'time';
  return { stored: schema === 'iox' ? (type as ColumnType) : undefined, required: required ?? (schema === 'iox' && isTime) };
}

function findCte(ctes: CteScope | undefined, name: string): CteScope | undefined {
  for (let scope = ctes; scope; scope = scope.parent) if (scope.name === name) return scope;
  return undefined;
}

function named(cte: NamedCte, alias: TableAlias, env: Env): FromClause {
  const name = env.state.freshName('t');
  const columns = cte.columns.map(
    (column): ScopeColumn => ({
      name: column.name,
      qualifier: alias.name,
      sql: `${name}.${column.sqlName}`,
      type: column.type,
      use: undefined,
      timeUses: [],
      origin: column.origin && { ...column.origin },
    }),
  );
  return { sql: `${cte.sqlName} AS ${name}`, scope: scopeOf({ path: [alias.name], columns: aliased(columns, alias) }, env) };
}

function derived(ref: Extract<TableRef, { kind: 'derived' }>, env: Env): FromClause {
  const outer = ref.lateral ? env.scope : (env.scope.parent ?? emptyScope(undefined));
  const query = env.state.compileNested(ref.query, env.state, outer, env.ctes);
  const clause = fromQuery(nestedSql(query), ref.joined === true ? numbered(query.columns) : query.columns, ref.alias, env);
  return ref.lateral ? { ...clause, sql: `LATERAL ${clause.sql}` } : clause;
}

/** compat: of columns of one name, all but the first have a number behind it. */
function numbered(columns: readonly OutputColumn[]): readonly OutputColumn[] {
  const seen = new Map<string, number>();
  return columns.map((column) => {
    const count = seen.get(column.name) ?? 0;
    seen.set(column.name, count + 1);
    return count === 0 ? column : { ...column, name: `${column.name}:${count}` };
  });
}

function fromQuery(sql: string, output: readonly OutputColumn[], alias: TableAlias | undefined, env: Env): FromClause {
  const name = env.state.freshName('t');
  const columns = output.map(
    (column): ScopeColumn => ({
      name: column.name,
      qualifier: alias?.name,
      sql: `${name}.${column.sqlName}`,
      type: column.type,
      use: undefined,
      timeUses: column.timeUses,
      origin: column.origin && { ...column.origin },
    }),
  );
  return { sql: `(${sql}) AS ${name}`, scope: scopeOf({ path: alias ? [alias.name] : [], columns: aliased(columns, alias) }, env) };
}

function scopeOf(only: ScopeTable, env: Env): Scope {
  return { tables: [only], merged: new Map(), hidden: new Set(), parent: env.scope.parent };
}

function aliased(columns: readonly ScopeColumn[], alias: TableAlias | undefined): readonly ScopeColumn[] {
  if (!alias || alias.columns.length === 0) return columns;
  if (alias.columns.length !== columns.length) throw wrongAliasCount(columns.length, alias.columns.length);
  // the use still knows the column by its own name
  return columns.map((column, index) => ({ ...column, name: alias.columns[index] as string, use: wrapUse(column) }));
}

/** A use that records the base name when an alias is read. */
function wrapUse(column: ScopeColumn): MutableUse | undefined {
  const { use, name } = column;
  if (!use) return undefined;
  return { ...use, columns: { add: () => use.columns.add(name) } as unknown as Set<string> };
}

/** Columns under the names of a WITH query's column list. */
export function renamed(columns: readonly OutputColumn[], names: readonly string[]): readonly OutputColumn[] {
  if (names.length === 0) return columns;
  if (names.length !== columns.length) throw wrongAliasCount(columns.length, names.length);
  return columns.map((column, index) => ({ ...column, name: names[index] as string }));
}

function wrongAliasCount(columns: number, names: number): Error {
  return planError(`Source table contains ${columns} columns but only ${names} names given as column alias`);
}

function tableFunction(ref: FunctionRef, env: Env): FromClause {
  return placed(ref.at, () => calledTable(ref, env));
}

function calledTable(ref: FunctionRef, env: Env): FromClause {
  const { name, alias } = ref;
  if (name === 'last_cache' || name === 'distinct_cache') return cacheFunction(name, ref, env);
  const made = madeTable(
    name,
    ref.args.map((arg) => compileExpr(arg, env)),
    env.state,
  );
  const sqlName = env.state.freshName('t');
  const names = alias?.columns ?? [];
  if (names.length > 0 && names.length !== made.columns.length) throw wrongAliasCount(made.columns.length, names.length);
  const columns = made.columns.map(
    (column, index): ScopeColumn => ({
      name: names[index] ?? column.name,
      qualifier: alias?.name,
      sql: `${sqlName}.c${index}`,
      type: column.type,
      use: undefined,
      timeUses: [],
    }),
  );
  const list = columns.map((_, index) => `c${index}`).join(', ');
  return { sql: `${made.sql} AS ${sqlName}(${list})`, scope: scopeOf({ path: alias ? [alias.name] : [], columns }, env) };
}

/** Rows of a cache; its arguments must be text literals. */
function cacheFunction(name: CacheFunctionName, ref: Extract<TableRef, { kind: 'function' }>, env: Env): FromClause {
  const relation = env.state.cacheFunction(
    name,
    ref.args.map((arg) => (arg.kind === 'string' ? arg.value : undefined)),
  );
  if (!relation) throw notImplemented(`table function '${name}' is not available`);
  const qualifier = ref.alias?.name ?? name;
  return relationClause(relation, ref.alias, { path: [qualifier], qualifier }, env);
}

function join(ref: JoinRef, env: Env): FromClause {
  const left = compileFrom(ref.left, env);
  const lateralEnv: Env = { ...env, scope: { ...left.scope, parent: env.scope.parent } };
  const right = compileFrom(ref.right, lateral(ref.right) ? lateralEnv : env);
  if (ref.type === 'LEFT' || ref.type === 'FULL') makeNullable(right.scope);
  if (ref.type === 'RIGHT' || ref.type === 'FULL') makeNullable(left.scope);
  const both: Scope = {
    tables: [...left.scope.tables, ...right.scope.tables],
    merged: new Map([...left.scope.merged, ...right.scope.merged]),
    hidden: new Set([...left.scope.hidden, ...right.scope.hidden]),
    parent: env.scope.parent,
  };
  checkAliases(both);
  const cross = (): FromClause => ({ sql: `${left.sql} CROSS JOIN ${operand(ref.right, right)}`, scope: both });
  if (ref.type === 'CROSS') return cross();
  const using = ref.using === 'natural' ? commonNames(left.scope, right.scope) : ref.using;
  if (using && using.length === 0) return cross();
  const { on, scope } = using
    ? usingCondition(using, ref, left.scope, right.scope, both)
    : onCondition(ref, left.scope, right.scope, both, env);
  return printJoin(ref, left, right, on, scope);
}

/** Rows of the other side may have no partner here. */
function makeNullable(scope: Scope): void {
  for (const { columns } of scope.tables) for (const { origin } of columns) if (origin) origin.required = false;
}

/** The right operand of a join; joins group from the left. */
function operand(ref: TableRef, clause: FromClause): string {
  return ref.kind === 'join' ? `(${clause.sql})` : clause.sql;
}

function lateral(ref: TableRef): boolean {
  return ref.kind === 'function' || (ref.kind === 'derived' && ref.lateral);
}

function printJoin(ref: JoinRef, left: FromClause, right: FromClause, on: string, both: Scope): FromClause {
  const rightSql = operand(ref.right, right);
  switch (ref.type) {
    case 'LEFT SEMI':
    case 'LEFT ANTI':
      return { sql: `${left.sql} ${ref.type.slice(5)} JOIN ${rightSql} ON ${on}`, scope: left.scope };
    case 'RIGHT SEMI':
    case 'RIGHT ANTI': {
      return { sql: `${right.sql} ${ref.type.slice(6)} JOIN ${operand(ref.left, left)} ON ${on}`, scope: right.scope };
    }
    default:
      return { sql: `${left.sql} ${ref.type} JOIN ${rightSql} ON ${on}`, scope: both };
  }
}

function onCondition(ref: JoinRef, left: Scope, right: Scope, both: Scope, env: Env): { on: string; scope: Scope } {
  if (!ref.on) throw notImplemented('NONE constraint is not supported');
  const condition = compileCondition(ref.on, { ...env, scope: both, clause: 'ON', aggregates: false });
  const cutsLeft = ref.type === 'INNER' || ref.type === 'RIGHT' || ref.type.endsWith('SEMI') || ref.type === 'RIGHT ANTI';
  const cutsRight = ref.type === 'INNER' || ref.type === 'LEFT' || ref.type.endsWith('SEMI') || ref.type === 'LEFT ANTI';
  if (cutsLeft) applyBounds(condition.bounds, left);
  if (cutsRight) applyBounds(condition.bounds, right);
  return { on: condition.sql, scope: both };
}

/** Narrows the uses behind the columns of this scope; columns of enclosing queries are left alone. */
export function applyBounds(bounds: readonly Bound[] | undefined, scope: Scope): void {
  for (const { column, min, max, values } of bounds ?? []) {
    if (!scope.tables.some((table) => table.columns.includes(column))) continue;
    for (const use of column.timeUses) {
      if (min !== undefined && (use.minTimeNs === undefined || min > use.minTimeNs)) use.minTimeNs = min;
      if (max !== undefined && (use.maxTimeNs === undefined || max < use.maxTimeNs)) use.maxTimeNs = max;
    }
    if (values !== undefined && column.tag !== undefined) narrow(column.tag, values);
  }
}

function narrow({ use, name }: NonNullable<ScopeColumn['tag']>, values: readonly string[]): void {
  const known = use.tagValues.get(name);
  use.tagValues.set(name, known === undefined ? values : known.filter((value) => values.includes(value)));
}

function commonNames(left: Scope, right: Scope): readonly string[] {
  const names = new Set(right.tables.flatMap((table) => table.columns.map((column) => column.name)));
  return [...new Set(left.tables.flatMap((table) => table.columns.map((column) => column.name)))].filter((name) => names.has(name));
}

function usingCondition(names: readonly string[], ref: JoinRef, left: Scope, right: Scope, both: Scope): { on: string; scope: Scope } {
  const merged = new Map(both.merged);
  const hidden = new Set(both.hidden);
  const conditions = names.map((name) => {
    const [a, b] = [usingColumn(left, name), usingColumn(right, name)];
    const [x, y] = comparable('=', read(a), read(b));
    if (ref.type === 'RIGHT') hidden.add(a);
    else hidden.add(b);
    if (ref.type === 'FULL') {
      const type = commonType(a.type, b.type) ?? a.type;
      hidden.add(a);
      const both: ScopeColumn = { ...a, sql: `coalesce(${x.sql}, ${y.sql})`, type, timeUses: [], tag: undefined, origin: undefined };
      merged.set(name, both);
    } else merged.set(name, ref.type === 'RIGHT' ? b : a);
    return `(${x.sql} = ${y.sql})`;
  });
  return { on: conditions.join(' AND '), scope: { ...both, merged, hidden } };
}

function usingColumn(scope: Scope, name: string): ScopeColumn {
  const merged = scope.merged.get(name);
  if (merged) return merged;
  for (const table of scope.tables) {
    const found = table.columns.find((column) => column.name === name && !scope.hidden.has(column));
    if (found) return found;
  }
  throw schemaError(`No field named ${name}.`);
}

function read(column: ScopeColumn): Typed {
  column.use?.columns.add(column.name);
  return { ...typed(column.sql, column.type), column };
}

function checkAliases(scope: Scope): void {
  const seen = new Set<string>();
  for (const { path } of scope.tables) {
    const name = path.join('.');
    if (name !== '' && seen.has(name)) {
      const label = scope.tables.find((table) => table.path.join('.') === name)?.columns[0];
      throw schemaError(`Schema contains duplicate qualified field name ${label?.qualifier ?? name}.${label?.name ?? '*'}`);
    }
    seen.add(name);
  }
}
