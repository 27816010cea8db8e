/** `unnest` of what another `unnest` makes: level by level, the innermost lists first. */
import type { CallExpr, Expr, Select, SelectItem } from '../parse/ast.ts';
import { nameOf, withoutPlaces } from './unnest-groups.ts';
import { containsAggregate } from './walk.ts';

/** Beginning of the name of a column of items; no user column can be meant by it. */
const ITEMS = '__unnest_level';

/**
 * `SELECT unnest(unnest(x)), unnest(y) FROM t WHERE w` reads `SELECT *, unnest(x) AS i FROM t WHERE w` and takes `unnest(i), unnest(y)`
 * of that, as DataFusion does. A select without such calls, that groups, or that reads more than one table, is returned as it is.
 */
export function levelByLevel(select: Select, step = 0): Select {
  const chains = select.items.flatMap((item) => (item.kind === 'expr' ? chainsOf(item.expr, false) : []));
  const level = Math.max(0, ...chains.map(({ depth }) => depth));
  if (level < 2 && !chains.some(({ isInside }) => isInside)) return select;
  if (select.groupBy === 'all' || select.groupBy.length > 0 || containsAggregate(select.items)) return select;
  const alias = select.from && nameOf(select.from);
  if (select.from?.kind === 'join') return select;
  const taken = new Set(chains.filter(({ depth }) => level === 1 || depth === level).map(({ innermost }) => innermost));
  const made = new Map<string, { readonly name: string; readonly call: CallExpr }>();
  const column = (call: CallExpr): Expr => {
    const key = withoutPlaces(call);
    const known = made.get(key) ?? { name: `${ITEMS}${step}_${made.size}`, call };
    made.set(key, known);
    return { kind: 'column', path: [known.name], quoted: [true], at: call.at };
  };
  const shown = select.items.map((item): SelectItem => {
    if (item.kind !== 'expr') return item;
    const expr = withColumns(item.expr, taken, column) as Expr;
    return expr === item.expr ? item : { ...item, expr, shown: item.shown ?? item.expr };
  });
  const own = [...made.values()];
  const items = shown.map(
    (item): SelectItem => (item.kind === 'wildcard' ? { ...item, hidden: [...(item.hidden ?? []), ...own.map(({ name }) => name)] } : item),
  );
  const inner: Select = {
    ...select,
    distinct: false,
    distinctOn: [],
    items: [
      ...(select.from === undefined ? [] : [{ kind: 'wildcard', qualifier: undefined, exclude: [] } as const]),
      ...own.map(({ name, call }): SelectItem => ({ kind: 'expr', expr: call, alias: name })),
    ],
    qualify: undefined,
  };
  const query = { ctes: [], recursive: false, body: inner, orderBy: [], limit: undefined, offset: undefined };
  const from = { kind: 'derived', query, lateral: false, alias: alias === undefined ? undefined : { name: alias, columns: [] } } as const;
  return levelByLevel({ ...select, items, where: undefined, from }, step + 1);
}

/** Calls of `unnest` right inside each other, around an expression without any. */
interface Chain {
  readonly innermost: CallExpr;
  readonly depth: number;
  /** It is part of what another `unnest` takes. */
  readonly isInside: boolean;
}

function chainsOf(node: unknown, isInside: boolean): readonly Chain[] {
  if (typeof node !== 'object' || node === null || 'ctes' in node) return [];
  if (!isUnnest(node)) return Object.values(node).flatMap((child) => chainsOf(child, isInside));
  let innermost = node;
  let depth = 1;
  for (let [next] = innermost.args; next !== undefined && isUnnest(next); [next] = innermost.args) {
    innermost = next;
    depth++;
  }
  const within = chainsOf(innermost.args, true);
  return within.length > 0 ? within : [{ innermost, depth, isInside }];
}

function isUnnest(node: object): node is CallExpr {
  return 'kind' in node && node.kind === 'call' && (node as CallExpr).name === 'unnest';
}

/** The tree with some calls replaced; itself where there are none in it. */
function withColumns(node: unknown, taken: ReadonlySet<object>, column: (call: CallExpr) => Expr): unknown {
  if (typeof node !== 'object' || node === null || 'ctes' in node) return node;
  if (taken.has(node)) return column(node as CallExpr);
  if (Array.isArray(node)) {
    const items = node.map((item) => withColumns(item, taken, column));
    return items.some((item, i) => item !== node[i]) ? items : node;
  }
  const entries = Object.entries(node).map(([key, value]) => [key, withColumns(value, taken, column)] as const);
  return entries.some(([key, value]) => value !== (node as Record<string, unknown>)[key]) ? Object.fromEntries(entries) : node;
}
