/** Queries: WITH, set operations, VALUES, ORDER BY and LIMIT around SELECT. */

import { uniqueNames } from '../../../duckdb/index.ts';
import { withNumbers } from '../functions/misc.ts';
import type { Cte, OrderItem, Query, QueryBody, SetOperation, Values } from '../parse/ast.ts';
import type { CompiledQuery, CteScope, Env, NamedCte, OutputColumn, StatementState } from '../types/env.ts';
import { notImplemented, planError } from '../types/errors.ts';
import { quoteIdent } from '../types/quote.ts';
import { type ColumnOrigin, emptyScope, type Scope, type ScopeColumn } from '../types/scope.ts';
import { nullConstant, type Typed, typed } from '../types/typed.ts';
import { arrowTypeText, commonType, nullType, type SqlType, sameType } from '../types/types.ts';
import { coerceTo } from '../values/casts.ts';
import { unify } from '../values/comparisons.ts';
import { direction, sortKey } from './calls.ts';
import { compileExpr, nestedSql } from './expr.ts';
import { renamed } from './from.ts';
import { compileLimits } from './limits.ts';
import type { SimpleStatements } from './parts.ts';
import { compileSelect } from './select.ts';
import { countTable } from './walk.ts';

/** Where a query stands. */
export interface QueryPlace {
  readonly state: StatementState;
  readonly outer: Scope | undefined;
  readonly ctes: CteScope | undefined;
  /** The statement's own query: its columns get their real names. */
  readonly top: boolean;
  /** The rows of the query's SELECT are the rows of the result; only with `top`. */
  readonly direct?: boolean;
  /** Looks for statements that need no DuckDB; only with `top`. */
  readonly simple?: SimpleStatements;
}

/** Compiles a query and everything in it. */
export function compileQuery(query: Query, place: QueryPlace): CompiledQuery {
  const definitions: string[] = [];
  let recursive = false;
  let { ctes } = place;
  for (const cte of query.ctes) {
    if (query.ctes.some((other) => other !== cte && other.name === cte.name)) {
      throw planError(`WITH query name "${cte.name}" specified more than once`);
    }
    if (query.recursive && countTable(cte.query, cte.name) > 0) {
      const compiled = recursiveCte(cte, { ...place, ctes, top: false });
      definitions.push(compiled.definition);
      recursive = true;
      ctes = { name: cte.name, target: { kind: 'named', cte: compiled.cte }, parent: ctes };
    } else if (countTable(query, cte.name) <= 1) {
      ctes = { name: cte.name, target: { kind: 'inline', cte, ctes }, parent: ctes };
    } else {
      const compiled = sharedCte(cte, { ...place, ctes, top: false });
      definitions.push(compiled.definition);
      ctes = { name: cte.name, target: { kind: 'named', cte: compiled.cte }, parent: ctes };
    }
  }
  const inner = compileBody(query, { ...place, ctes });
  return {
    definitions: [...definitions, ...inner.definitions],
    recursive: recursive || inner.recursive,
    sql: inner.sql,
    columns: inner.columns,
    small: inner.small === true || hasSmallLimit(query),
    direct: query.ctes.length === 0 ? inner.direct : undefined,
    made: query.ctes.length === 0 ? inner.made : undefined,
  };
}

/** Rows that are few whatever is in them. */
const FEW_ROWS = 10_000;

function hasSmallLimit({ limit }: Query): boolean {
  return limit?.kind === 'number' && Number(limit.text) <= FEW_ROWS;
}

function sharedCte(cte: Cte, place: QueryPlace): { definition: string; cte: NamedCte } {
  const query = compileQuery(cte.query, place);
  const sqlName = place.state.freshName('w');
  const columns = renamed(query.columns, cte.columns).map(({ name, type, sqlName: column, origin }) => ({
    name,
    type,
    sqlName: column,
    origin,
  }));
  return { definition: `${sqlName} AS MATERIALIZED (${nestedSql(query)})`, cte: { sqlName, columns } };
}

function recursiveCte(cte: Cte, place: QueryPlace): { definition: string; cte: NamedCte } {
  const { body } = cte.query;
  if (body.kind !== 'set' || body.op !== 'UNION' || cte.query.ctes.length > 0)
    throw notImplemented('Recursive queries other than a UNION of two parts');
  if (cte.query.orderBy.length > 0 || cte.query.limit || cte.query.offset) throw notImplemented('ORDER BY and LIMIT in recursive queries');
  const anchor = compileQuery(plainQuery(body.left), place);
  const sqlName = place.state.freshName('w');
  const named: NamedCte = {
    sqlName,
    columns: renamed(anchor.columns, cte.columns).map((column) => ({ name: column.name, type: column.type, sqlName: column.sqlName })),
  };
  const ctes: CteScope = { name: cte.name, target: { kind: 'named', cte: named }, parent: place.ctes };
  const step = compileQuery(plainQuery(body.right), { ...place, ctes });
  if (step.columns.length !== anchor.columns.length) throw columnCountError(anchor.columns.length, step.columns.length);
  const cast = withTypes(
    step,
    anchor.columns.map((column) => column.type),
    place.state,
  );
  const columns = named.columns.map((column) => column.sqlName).join(', ');
  const sql = `${nestedSql(anchor)} UNION ${body.all ? 'ALL ' : ''}${cast}`;
  return { definition: `${sqlName}(${columns}) AS (${sql})`, cte: named };
}

function plainQuery(body: QueryBody): Query {
  return { ctes: [], recursive: false, body, orderBy: [], limit: undefined, offset: undefined };
}

function compileBody(query: Query, place: QueryPlace): CompiledQuery {
  const { body } = query;
  const limits = compileLimits(query, place);
  if (body.kind === 'select') return compileSelect(body, query.orderBy, limits, place);
  if (body.kind === 'query' && query.orderBy.length === 0 && limits.sql === '') return compileQuery(body.query, place);
  const inner =
    body.kind === 'query'
      ? compileQuery(body.query, { ...place, direct: false })
      : body.kind === 'set'
        ? setOperation(body, place)
        : values(body, place);
  if (query.orderBy.length === 0 && limits.sql === '') return inner;
  return ordered(inner, query.orderBy, limits.sql, place);
}

/** ORDER BY over finished columns. */
function ordered(inner: CompiledQuery, orderBy: readonly OrderItem[], limits: string, place: QueryPlace): CompiledQuery {
  const name = place.state.freshName('t');
  const columns = inner.columns.map(
    (column): ScopeColumn => ({
      name: column.name,
      qualifier: undefined,
      sql: `${name}.${column.sqlName}`,
      type: column.type,
      use: undefined,
      timeUses: [],
    }),
  );
  const scope: Scope = { ...emptyScope(place.outer), tables: [{ path: [], columns }] };
  const env: Env = { state: place.state, scope, ctes: place.ctes, clause: 'ORDER BY', aggregates: false };
  const terms = orderBy.map((item) => {
    if (item.expr.kind === 'number') return `${ordinal(item.expr.text, columns.length)} ${direction(item)}`;
    return `${sortKey(compileExpr(item.expr, env))} ${direction(item)}`;
  });
  const order = terms.length > 0 ? ` ORDER BY ${terms.join(', ')}` : '';
  return {
    definitions: [],
    recursive: false,
    sql: `SELECT * FROM (${nestedSql(inner)}) AS ${name}${order}${limits}`,
    columns: inner.columns.map((column) => ({ ...column, timeUses: [] })),
  };
}

/** A position of ORDER BY. */
export function ordinal(text: string, count: number): number {
  const position = Number(text);
  if (!Number.isInteger(position) || position < 1 || position > count) {
    throw planError(`Order by column out of bounds, specified: ${text}, max: ${count}`);
  }
  return position;
}

function setOperation(body: SetOperation, place: QueryPlace): CompiledQuery {
  const left = compileQuery(plainQuery(body.left), { ...place, direct: false });
  const right = compileQuery(plainQuery(body.right), { ...place, top: false });
  if (body.byName) return unionByName(body, left, right, place);
  if (left.columns.length !== right.columns.length) throw columnCountError(left.columns.length, right.columns.length);
  const types = left.columns.map((column, index) => {
    const other = (right.columns[index] as OutputColumn).type;
    const type = isTextWithBoolean(column.type, other) ? undefined : commonType(column.type, other);
    if (!type) throw incompatible(body.op, column, other);
    return type;
  });
  const sql = `(${withTypes(left, types, place.state)}) ${body.op}${body.all ? ' ALL' : ''} (${withTypes(right, types, place.state)})`;
  const columns = left.columns.map(
    (column, index): OutputColumn => ({
      ...column,
      qualifier: undefined,
      type: types[index] as SqlType,
      origin: commonOrigin(column.origin, right.columns[index]?.origin),
      // outer bounds may cut both sides of a union
      timeUses: body.op === 'UNION' ? [...column.timeUses, ...(right.columns[index] as OutputColumn).timeUses] : [],
    }),
  );
  return { definitions: [], recursive: false, sql, columns };
}

/** compat: each would be compared with the other, but none stands for both. */
function isTextWithBoolean(a: SqlType, b: SqlType): boolean {
  return (a.kind === 'string' && b.kind === 'boolean') || (a.kind === 'boolean' && b.kind === 'string');
}

function incompatible(op: SetOperation['op'], { name, type }: OutputColumn, other: SqlType): Error {
  const what = `${op[0]}${op.slice(1).toLowerCase()}`;
  return planError(
    `Incompatible inputs for ${what}: Previous inputs were of type ${arrowTypeText(type)}, but got incompatible type ${arrowTypeText(other)} on column '${name}'`,
  );
}

/** Columns of one name are one; a side without it has NULL. The left side's come first. */
function unionByName(body: SetOperation, left: CompiledQuery, right: CompiledQuery, place: QueryPlace): CompiledQuery {
  const sides = [left, right].map((query) => byName(query));
  const names = [...new Set(sides.flatMap((side) => [...side.keys()]))];
  const types = names.map((name) => {
    const type = sides.reduce<SqlType | undefined>(
      (common, side) => common && commonType(common, side.get(name)?.type ?? nullType),
      nullType,
    );
    if (!type) throw planError(`Incompatible inputs for ${body.op} BY NAME: column ${name} has different types`);
    return type;
  });
  const sqlNames = place.top ? uniqueNames(names).map(quoteIdent) : names.map((_, index) => `c${index}`);
  const printed = [left, right].map((query, at) => {
    const alias = place.state.freshName('t');
    const items = names.map((name, index) => {
      const column = sides[at]?.get(name);
      const value = column === undefined ? nullConstant() : typed(`${alias}.${column.sqlName}`, column.type);
      return `${coerceTo(value, types[index] as SqlType).sql} AS ${sqlNames[index]}`;
    });
    return `(SELECT ${items.join(', ')} FROM (${nestedSql(query)}) AS ${alias})`;
  });
  return {
    definitions: [],
    recursive: false,
    sql: printed.join(` ${body.op}${body.all ? ' ALL' : ''} `),
    columns: names.map((name, index) => ({
      name,
      qualifier: undefined,
      sqlName: sqlNames[index] as string,
      type: types[index] as SqlType,
      timeUses: sides.flatMap((side) => side.get(name)?.timeUses ?? []),
    })),
  };
}

function byName({ columns }: CompiledQuery): ReadonlyMap<string, OutputColumn> {
  const found = new Map(columns.map((column) => [column.name, column]));
  if (found.size < columns.length) throw planError('UNION BY NAME needs columns with different names');
  return found;
}

function commonOrigin(a: ColumnOrigin | undefined, b: ColumnOrigin | undefined): ColumnOrigin | undefined {
  return a && b && { stored: a.stored === b.stored ? a.stored : undefined, required: a.required && b.required };
}

function columnCountError(left: number, right: number): Error {
  return planError(`UNION queries have different number of columns: left has ${left} columns whereas right has ${right} columns`);
}

/** The query with its columns cast where their types differ. */
function withTypes(query: CompiledQuery, types: readonly SqlType[], state: StatementState): string {
  if (query.columns.every((column, index) => sameEngineType(column.type, types[index] as SqlType))) return nestedSql(query);
  const name = state.freshName('t');
  const items = query.columns.map((column, index) => {
    const value = coerceTo(typed(`${name}.${column.sqlName}`, column.type), types[index] as SqlType);
    return `${value.sql} AS ${column.sqlName}`;
  });
  return `SELECT ${items.join(', ')} FROM (${nestedSql(query)}) AS ${name}`;
}

function sameEngineType(a: SqlType, b: SqlType): boolean {
  return (
    sameType(a, b) ||
    a.kind === 'unknown' ||
    b.kind === 'unknown' ||
    (a.kind === 'string' && b.kind === 'string') ||
    (a.kind === 'timestamp' && b.kind === 'timestamp')
  );
}

/** Values in one type. compat: texts among numbers are numbers, and of several zones the last one shows all times. */
function valuesColumn(column: readonly Typed[]): ReturnType<typeof unify> {
  const found = unify(withNumbers(column), 'VALUES');
  const zones = column.flatMap(({ type }) => (type.kind === 'timestamp' && type.zone !== undefined ? [type.zone] : []));
  const zone = zones.at(-1);
  if (found.type.kind !== 'timestamp' || zone === undefined || zone === found.type.zone) return found;
  return unify(
    column.map((value) =>
      value.type.kind === 'timestamp' && value.type.zone !== undefined ? { ...value, type: { ...value.type, zone } } : value,
    ),
    'VALUES',
  );
}

function values(body: Values, place: QueryPlace): CompiledQuery {
  const env: Env = { state: place.state, scope: emptyScope(place.outer), ctes: place.ctes, clause: 'VALUES', aggregates: false };
  const rows = body.rows.map((row) => row.map((expr) => compileExpr(expr, env)));
  const width = rows[0]?.length ?? 0;
  rows.forEach((row, index) => {
    if (row.length !== width)
      throw planError(`Inconsistent data length across values list: got ${row.length} values in row ${index} but expected ${width}`);
  });
  const columns = Array.from({ length: width }, (_, index) => valuesColumn(rows.map((row) => row[index] as Typed)));
  const names = columns.map((_, index) => `column${index + 1}`);
  const sqlNames = place.top ? uniqueNames(names).map(quoteIdent) : names.map((_, index) => `c${index}`);
  const tuples = rows.map((_, row) => `(${columns.map((column) => (column.values[row] as Typed).sql).join(', ')})`);
  const name = place.state.freshName('t');
  return {
    definitions: [],
    recursive: false,
    sql: `SELECT * FROM (VALUES ${tuples.join(', ')}) AS ${name}(${sqlNames.join(', ')})`,
    columns: names.map((column, index) => ({
      name: column,
      qualifier: undefined,
      sqlName: sqlNames[index] as string,
      type: (columns[index] as { type: SqlType }).type,
      timeUses: [],
    })),
  };
}
