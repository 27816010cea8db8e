/** What kind of query a SELECT list makes. */
import { planError, selectError } from './errors.ts';
import type { NamedField } from './expand.ts';
import { checkCall, functionKind } from './functions.ts';
import type { CallExpr, Expr, Fill } from './ir.ts';
import { checkMathArity } from './math.ts';

export interface Analysis {
  readonly kind: 'raw' | 'aggregate' | 'selector' | 'top' | 'distinct';
  /** Aggregates, selectors, top, bottom, distinct: those that make one value of many rows. */
  readonly calls: readonly CallExpr[];
  /** Over rows or over the values of `calls`. */
  readonly windows: readonly CallExpr[];
  /** True when columns stand beside functions. */
  readonly hasColumns: boolean;
}

class Collector {
  readonly calls: CallExpr[] = [];
  readonly windows: CallExpr[] = [];
  hasColumns = false;

  walk(expr: Expr): void {
    if (expr.kind === 'ref') this.hasColumns = true;
    else if (expr.kind === 'binary') {
      this.walk(expr.left);
      this.walk(expr.right);
    } else if (expr.kind === 'call') this.#call(expr);
  }

  #call(call: CallExpr): void {
    const kind = functionKind(call.name);
    if (kind === 'math') {
      checkMathArity(call.name, call.args.length);
      for (const arg of call.args) this.walk(arg);
      return;
    }
    checkCall(call, kind);
    if (kind !== 'window') {
      this.calls.push(call);
      return;
    }
    this.windows.push(call);
    const [arg] = call.args;
    if (arg?.kind === 'call') {
      if (functionKind(arg.name) === 'math' || functionKind(arg.name) === 'window') {
        throw selectError(`expected aggregate function inside the call to ${call.name}`);
      }
      this.#call(arg);
    } else if (arg?.kind !== 'ref') throw selectError(`expected field argument in ${call.name}()`);
  }
}

/** Whether rows are grouped by time: by the GROUP BY of the SELECT, or by that of an enclosing one. */
interface Binned {
  readonly own: boolean;
  readonly inherited: boolean;
}

/** What the fields of a SELECT make of its rows. Throws planning errors. */
export function analyze(fields: readonly NamedField[], binned: Binned, fill: Fill | undefined): Analysis {
  const found = new Collector();
  for (const { expr } of fields) {
    if (expr.kind !== 'literal' && !hasReference(expr)) throw selectError('field must contain at least one variable');
    if (expr.kind === 'literal') throw selectError('field must contain at least one variable');
    found.walk(expr);
  }
  // a wildcard or regular expression may have found nothing
  if (fields.length > 0) checkGrouping(found, binned, fill);
  return { kind: kindOf(found), calls: found.calls, windows: found.windows, hasColumns: found.hasColumns };
}

function hasReference(expr: Expr): boolean {
  if (expr.kind === 'ref') return true;
  if (expr.kind === 'call') return expr.args.some(hasReference) || expr.args.length === 0;
  return expr.kind === 'binary' && (hasReference(expr.left) || hasReference(expr.right));
}

function checkGrouping({ calls, windows }: Collector, { own, inherited }: Binned, fill: Fill | undefined): void {
  for (const window of windows) {
    const overAggregate = window.args[0]?.kind === 'call';
    if (overAggregate && !own && !inherited) throw selectError(`${window.name} aggregate requires a GROUP BY interval`);
    if (!overAggregate && own) throw selectError(`aggregate function required inside the call to ${window.name}`);
  }
  if (calls.length > 0 || windows.length > 0) return;
  if (fill !== undefined) throw selectError(`FILL(${fillName(fill)}) must be used with an aggregate or selector function`);
  if (own) throw selectError('GROUP BY requires at least one aggregate function');
}

function fillName(fill: Fill): string {
  return fill.kind === 'number' ? String(fill.value.value) : fill.kind;
}

function kindOf({ calls, windows, hasColumns }: Collector): Analysis['kind'] {
  const functions = calls.length + windows.length;
  const kinds = new Set(calls.map((call) => functionKind(call.name)));
  if (kinds.has('top')) {
    const name = calls.find((call) => functionKind(call.name) === 'top')?.name;
    if (functions > 1) {
      const text = name === 'top' ? 'functions top and bottom' : 'function bottom()';
      throw selectError(`selector ${text} cannot be combined with other functions`);
    }
    return 'top';
  }
  if (kinds.has('distinct')) {
    if (functions > 1 || hasColumns) throw selectError('aggregate function distinct() cannot be combined with other functions or fields');
    return 'distinct';
  }
  if (functions === 0) return 'raw';
  const single = calls.length === 1 && windows.length === 0 && kinds.has('selector');
  if (hasColumns && !single) {
    throw selectError(
      kinds.has('selector')
        ? 'mixing multiple selector functions with tags or fields is not supported'
        : 'mixing aggregate and non-aggregate columns is not supported',
    );
  }
  if (single) return 'selector';
  return calls.length > 0 ? 'aggregate' : 'raw';
}

/** Throws when a limit does not fit DuckDB's integers. */
export function checkLimit(name: 'limit' | 'offset' | 'slimit' | 'soffset', value: bigint | undefined): void {
  if (value !== undefined && value > 9_223_372_036_854_775_807n) throw planError(`${name} out of range`);
}
