/** Queries of the parser's tree -> `Query`. Clauses without a case here are refused. */
import { notImplemented, planError } from '../types/errors.ts';
import type { Cte, Expr, JoinType, Query, QueryBody, Select, SelectItem, SetOperation, TableAlias, TableRef, WindowSpec } from './ast.ts';
import { identifier, objectName, objectPlace } from './names.ts';
import { normalizeOrder, windowSpec } from './normalize-call.ts';
import { normalizeExpr } from './normalize-expr.ts';
import { has, isObject, isTrue, listOf, nodeOf, objectOf, onlyMembers, type Raw, type RawObject, textOf } from './raw.ts';

/** A query of the parser library as a node of ast.ts. Throws 'not implemented' (405) for clauses that the compiler has no rule for. */
export function normalizeQuery(raw: Raw): Query {
  const query = objectOf(raw);
  onlyMembers(query, 'query', ['with', 'body', 'order_by', 'limit_clause', 'fetch']);
  const withClause = has(query['with']) ? objectOf(query['with']) : undefined;
  const { limit, offset } = limits(query);
  return {
    ctes: withClause ? listOf(withClause['cte_tables']).map(cte) : [],
    recursive: withClause ? isTrue(withClause['recursive']) : false,
    body: body(query['body']),
    orderBy: has(query['order_by']) ? orderBy(objectOf(query['order_by'])) : [],
    limit,
    offset,
  };
}

function orderBy(raw: RawObject): Query['orderBy'] {
  onlyMembers(raw, 'ORDER BY', ['kind']);
  const node = nodeOf(raw['kind']);
  if (node.kind !== 'Expressions') throw notImplemented('ORDER BY ALL is not supported');
  return listOf(node.body).map(normalizeOrder);
}

function limits(query: RawObject): { limit: Expr | undefined; offset: Expr | undefined } {
  let limit: Expr | undefined;
  let offset: Expr | undefined;
  if (has(query['limit_clause'])) {
    const node = nodeOf(query['limit_clause']);
    const clause = objectOf(node.body);
    onlyMembers(clause, 'LIMIT', ['limit', 'offset']);
    if (has(clause['limit'])) limit = normalizeExpr(clause['limit']);
    if (has(clause['offset'])) {
      const rawOffset = objectOf(clause['offset']);
      offset = normalizeExpr(node.kind === 'LimitOffset' ? rawOffset['value'] : rawOffset);
    }
  }
  if (has(query['fetch'])) {
    const fetch = objectOf(query['fetch']);
    onlyMembers(fetch, 'FETCH', ['quantity']);
    limit = has(fetch['quantity']) ? normalizeExpr(fetch['quantity']) : { kind: 'number', text: '1' };
  }
  return { limit, offset };
}

function cte(raw: Raw): Cte {
  const item = objectOf(raw);
  onlyMembers(item, 'WITH', ['alias', 'query', 'materialized']);
  const alias = tableAlias(item['alias']);
  if (!alias) throw notImplemented('Unsupported WITH syntax');
  return { name: alias.name, columns: alias.columns, query: normalizeQuery(item['query']) };
}

function body(raw: Raw): QueryBody {
  const node = nodeOf(raw);
  const content = objectOf(node.body);
  if (node.kind === 'Select') return select(content);
  if (node.kind === 'Query') return { kind: 'query', query: normalizeQuery(content) };
  if (node.kind === 'Values') return { kind: 'values', rows: listOf(content['rows']).map(valuesRow) };
  if (node.kind === 'SetOperation') return setOperation(content);
  throw notImplemented(`Query ${node.kind} not implemented yet`);
}

function valuesRow(raw: Raw): readonly Expr[] {
  return listOf(isObject(raw) ? raw['content'] : raw).map(normalizeExpr);
}

function setOperation(raw: RawObject): SetOperation {
  const op = textOf(raw['op']).toUpperCase();
  if (op !== 'UNION' && op !== 'INTERSECT' && op !== 'EXCEPT') throw notImplemented(`${op} is not supported`);
  const quantifier = textOf(raw['set_quantifier']);
  return {
    kind: 'set',
    op,
    all: quantifier === 'All' || quantifier === 'AllByName',
    byName: quantifier.endsWith('ByName'),
    left: body(raw['left']),
    right: body(raw['right']),
  };
}

const selectMembers = ['distinct', 'projection', 'from', 'selection', 'group_by', 'having', 'qualify', 'named_window'];

function select(raw: RawObject): Select {
  onlyMembers(raw, 'SELECT', selectMembers);
  if (raw['flavor'] !== 'Standard') throw notImplemented('FROM-first queries are not supported');
  const distinct = has(raw['distinct']) ? nodeOf(raw['distinct']) : undefined;
  const items = listOf(raw['projection']).map(selectItem);
  if (items.length === 0) throw planError('SELECT without a select list is not supported');
  return {
    kind: 'select',
    distinct: distinct?.kind === 'Distinct',
    distinctOn: distinct?.kind === 'On' ? listOf(distinct.body).map(normalizeExpr) : [],
    items,
    from: fromList(listOf(raw['from'])),
    where: has(raw['selection']) ? normalizeExpr(raw['selection']) : undefined,
    groupBy: groupBy(raw['group_by']),
    having: has(raw['having']) ? normalizeExpr(raw['having']) : undefined,
    qualify: has(raw['qualify']) ? normalizeExpr(raw['qualify']) : undefined,
    windows: new Map(listOf(raw['named_window']).map(namedWindow)),
  };
}

function groupBy(raw: Raw): readonly Expr[] | 'all' {
  const node = nodeOf(raw);
  if (node.kind === 'All') return 'all';
  const [exprs, modifiers] = listOf(node.body);
  if (listOf(modifiers).length > 0) throw notImplemented('GROUP BY modifiers are not supported');
  return listOf(exprs).map(normalizeExpr);
}

function namedWindow(raw: Raw): [string, WindowSpec] {
  const [name, definition] = listOf(raw);
  const node = nodeOf(definition);
  if (node.kind !== 'WindowSpec') throw notImplemented('Unsupported named window');
  return [identifier(name), windowSpec(node.body)];
}

function selectItem(raw: Raw): SelectItem {
  const node = nodeOf(raw);
  switch (node.kind) {
    case 'UnnamedExpr':
      return { kind: 'expr', expr: normalizeExpr(node.body), alias: undefined };
    case 'ExprWithAlias': {
      const item = objectOf(node.body);
      return { kind: 'expr', expr: normalizeExpr(item['expr']), alias: identifier(item['alias']) };
    }
    case 'Wildcard':
      return { kind: 'wildcard', qualifier: undefined, exclude: exclusions(objectOf(node.body)) };
    case 'QualifiedWildcard': {
      const [target, options] = listOf(node.body);
      const name = nodeOf(target);
      if (name.kind !== 'ObjectName') throw notImplemented('Unsupported qualified wildcard');
      return { kind: 'wildcard', qualifier: objectName(name.body), exclude: exclusions(objectOf(options)) };
    }
    default:
      throw notImplemented(`Unsupported select item ${node.kind}`);
  }
}

function exclusions(raw: RawObject): readonly string[] {
  onlyMembers(raw, 'wildcard', ['opt_exclude', 'opt_except']);
  const names: string[] = [];
  if (has(raw['opt_exclude'])) {
    const node = nodeOf(raw['opt_exclude']);
    const lists = node.kind === 'Single' ? [node.body] : listOf(node.body);
    for (const list of lists) names.push(...objectName(list));
  }
  if (has(raw['opt_except'])) {
    const except = objectOf(raw['opt_except']);
    names.push(identifier(except['first_element']), ...listOf(except['additional_elements']).map(identifier));
  }
  if (new Set(names).size < names.length) throw planError('EXCLUDE or EXCEPT contains duplicate column names');
  return names;
}

function fromList(tables: readonly Raw[]): TableRef | undefined {
  const refs = tables.map(tableWithJoins);
  if (refs.length === 0) return undefined;
  return refs.reduce((left, right) => ({ kind: 'join', type: 'CROSS', left, right, on: undefined, using: undefined }));
}

function tableWithJoins(raw: Raw): TableRef {
  const item = objectOf(raw);
  return listOf(item['joins']).reduce<TableRef>((left, join) => joined(left, objectOf(join)), tableFactor(item['relation']));
}

const joinTypes: Readonly<Record<string, JoinType>> = {
  Join: 'INNER',
  Inner: 'INNER',
  Left: 'LEFT',
  LeftOuter: 'LEFT',
  Right: 'RIGHT',
  RightOuter: 'RIGHT',
  FullOuter: 'FULL',
  CrossJoin: 'CROSS',
  Semi: 'LEFT SEMI',
  LeftSemi: 'LEFT SEMI',
  RightSemi: 'RIGHT SEMI',
  Anti: 'LEFT ANTI',
  LeftAnti: 'LEFT ANTI',
  RightAnti: 'RIGHT ANTI',
};

function joined(left: TableRef, raw: RawObject): TableRef {
  onlyMembers(raw, 'JOIN', ['relation', 'join_operator']);
  const operator = nodeOf(raw['join_operator']);
  if (!Object.hasOwn(joinTypes, operator.kind)) throw notImplemented(`Unsupported JOIN operator ${operator.kind}`);
  const type = joinTypes[operator.kind] as JoinType;
  const right = tableFactor(raw['relation']);
  const constraint = nodeOf(operator.body);
  if (constraint.kind === 'On') return { kind: 'join', type, left, right, on: normalizeExpr(constraint.body), using: undefined };
  if (constraint.kind === 'Using') {
    const using = listOf(constraint.body).map((name) => objectName(name).at(-1) as string);
    return { kind: 'join', type, left, right, on: undefined, using };
  }
  if (constraint.kind === 'Natural') return { kind: 'join', type, left, right, on: undefined, using: 'natural' };
  if (type === 'CROSS' || type === 'INNER') return { kind: 'join', type: 'CROSS', left, right, on: undefined, using: undefined };
  return { kind: 'join', type, left, right, on: { kind: 'boolean', value: true }, using: undefined };
}

/** `(a JOIN b ..) AS q`: all columns of the join under one name. */
function aliasedJoin(from: TableRef, alias: TableAlias): TableRef {
  const body: Select = {
    kind: 'select',
    distinct: false,
    distinctOn: [],
    items: [{ kind: 'wildcard', qualifier: undefined, exclude: [] }],
    from,
    where: undefined,
    groupBy: [],
    having: undefined,
    qualify: undefined,
    windows: new Map(),
  };
  const query: Query = { ctes: [], recursive: false, body, orderBy: [], limit: undefined, offset: undefined };
  return { kind: 'derived', query, lateral: false, alias, joined: true };
}

function tableFactor(raw: Raw): TableRef {
  const node = nodeOf(raw);
  const factor = objectOf(node.body);
  const alias = tableAlias(factor['alias']);
  switch (node.kind) {
    case 'Table': {
      onlyMembers(factor, 'table', ['name', 'alias', 'args']);
      const parts = objectName(factor['name']);
      const at = objectPlace(factor['name']);
      if (!has(factor['args'])) return { kind: 'table', parts, alias, at };
      const args = objectOf(factor['args']);
      onlyMembers(args, 'table function', ['args']);
      return { kind: 'function', name: parts.join('.'), args: listOf(args['args']).map(tableArgument), alias, at };
    }
    case 'Function': {
      onlyMembers(factor, 'table function', ['name', 'args', 'alias', 'lateral']);
      const at = objectPlace(factor['name']);
      return { kind: 'function', name: objectName(factor['name']).join('.'), args: listOf(factor['args']).map(tableArgument), alias, at };
    }
    case 'Derived':
      onlyMembers(factor, 'subquery', ['lateral', 'subquery', 'alias']);
      return { kind: 'derived', query: normalizeQuery(factor['subquery']), lateral: isTrue(factor['lateral']), alias };
    case 'UNNEST':
      onlyMembers(factor, 'UNNEST', ['array_exprs', 'alias']);
      return { kind: 'function', name: 'unnest', args: listOf(factor['array_exprs']).map(normalizeExpr), alias };
    case 'NestedJoin': {
      const inner = tableWithJoins(factor['table_with_joins']);
      return alias ? aliasedJoin(inner, alias) : inner;
    }
    default:
      throw notImplemented(`Unsupported table factor ${node.kind}`);
  }
}

function tableArgument(raw: Raw): Expr {
  const node = nodeOf(raw);
  if (node.kind !== 'Unnamed') throw notImplemented('Unsupported named function argument');
  const inner = nodeOf(node.body);
  if (inner.kind !== 'Expr') throw notImplemented('Unsupported wildcard function argument');
  return normalizeExpr(inner.body);
}

function tableAlias(raw: Raw): TableAlias | undefined {
  if (!has(raw)) return undefined;
  const alias = objectOf(raw);
  onlyMembers(alias, 'alias', ['name', 'columns', 'explicit']);
  return { name: identifier(alias['name']), columns: listOf(alias['columns']).map((column) => identifier(objectOf(column)['name'])) };
}
