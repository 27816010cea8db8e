/** Expressions of the parser's tree -> `Expr`. Kinds without a case here are refused. */
import { arrowError, notImplemented, planError } from '../types/errors.ts';
import type { BinaryOperator, Expr, LikeExpr } from './ast.ts';
import { identifier, isQuoted, objectName, objectPlace } from './names.ts';
import { normalizeCall, simpleCall } from './normalize-call.ts';
import { normalizeQuery } from './normalize-query.ts';
import { normalizeType } from './normalize-type.ts';
import { has, isObject, isTrue, listOf, nodeOf, objectOf, onlyMembers, type Raw, type RawObject, textOf } from './raw.ts';
import { packedPlace, placed } from './text-place.ts';

const binaryOperators: Readonly<Record<string, BinaryOperator>> = {
  Plus: '+',
  Minus: '-',
  Multiply: '*',
  Divide: '/',
  Modulo: '%',
  Eq: '=',
  NotEq: '!=',
  Spaceship: 'IS NOT DISTINCT FROM',
  Lt: '<',
  LtEq: '<=',
  Gt: '>',
  GtEq: '>=',
  And: 'AND',
  Or: 'OR',
  StringConcat: '||',
  BitwiseXor: 'BIT_XOR',
  PGBitwiseXor: 'BIT_XOR',
  BitwiseAnd: '&',
  BitwiseOr: '|',
  PGBitwiseShiftLeft: '<<',
  PGBitwiseShiftRight: '>>',
  PGRegexMatch: '~',
  PGRegexIMatch: '~*',
  PGRegexNotMatch: '!~',
  PGRegexNotIMatch: '!~*',
};

/**
 * An expression of the parser library as a node of ast.ts. Throws 'not implemented' (405) for kinds that the compiler
 * has no rule for.
 */
export function normalizeExpr(raw: Raw): Expr {
  const { kind, body } = nodeOf(raw);
  switch (kind) {
    case 'Identifier':
      return { kind: 'column', path: [identifier(body)], quoted: [isQuoted(body)], at: packedPlace(body) };
    case 'CompoundIdentifier':
      return {
        kind: 'column',
        path: listOf(body).map(identifier),
        quoted: listOf(body).map(isQuoted),
        at: packedPlace(listOf(body)[0]),
      };
    case 'Value':
      return value(objectOf(body)['value']);
    case 'Nested':
      return normalizeExpr(body);
    case 'BinaryOp':
      return binary(objectOf(body));
    case 'UnaryOp':
      return unary(objectOf(body));
    case 'Function': {
      const call = objectOf(body);
      return placed(objectPlace(call['name']), () => columnOrCall(call));
    }
    case 'Cast':
      return cast(objectOf(body));
    case 'TypedString': {
      const literal = value(objectOf(objectOf(body)['value'])['value']);
      return { kind: 'cast', expr: literal, target: normalizeType(objectOf(body)['data_type']), attempt: false };
    }
    case 'Interval':
      return interval(objectOf(body));
    case 'Subquery':
      return { kind: 'subquery', query: normalizeQuery(body) };
    case 'Tuple':
      return { kind: 'tuple', items: listOf(body).map(normalizeExpr) };
    case 'GroupingSets':
      return { kind: 'grouping-sets', type: 'GROUPING SETS', sets: exprSets(body) };
    case 'Rollup':
      return { kind: 'grouping-sets', type: 'ROLLUP', sets: exprSets(body) };
    case 'Cube':
      return { kind: 'grouping-sets', type: 'CUBE', sets: exprSets(body) };
    default:
      return predicate(kind, body) ?? special(kind, body) ?? structure(kind, body) ?? unsupported(kind);
  }
}

/** `user`, `current_date` and the like: the parser takes them for calls although they may be columns. */
function columnOrCall(raw: RawObject): Expr {
  if (raw['args'] !== 'None' || has(raw['filter']) || has(raw['over'])) return normalizeCall(raw);
  const path = objectName(raw['name']);
  const column = { kind: 'column', path, quoted: path.map(() => false), at: objectPlace(raw['name']) } as const;
  return path.length === 1 ? { ...column, call: normalizeCall(raw) } : column;
}

function unsupported(kind: string): never {
  throw notImplemented(`Unsupported ast node in sqltorel: ${kind}`);
}

function predicate(kind: string, raw: Raw): Expr | undefined {
  const test = /^Is(Not)?(Null|True|False|Unknown)$/.exec(kind);
  if (test) {
    const name = (test[2] as string).toUpperCase() as 'NULL' | 'TRUE' | 'FALSE' | 'UNKNOWN';
    return { kind: 'is', test: name, negated: test[1] !== undefined, expr: normalizeExpr(raw) };
  }
  if (kind === 'IsDistinctFrom' || kind === 'IsNotDistinctFrom') {
    const [left, right] = listOf(raw);
    const op = kind === 'IsDistinctFrom' ? 'IS DISTINCT FROM' : 'IS NOT DISTINCT FROM';
    return { kind: 'binary', op, left: normalizeExpr(left), right: normalizeExpr(right) };
  }
  if (!isObject(raw)) return undefined;
  const negated = isTrue(raw['negated']);
  switch (kind) {
    case 'InList':
      return { kind: 'in', expr: normalizeExpr(raw['expr']), list: listOf(raw['list']).map(normalizeExpr), negated };
    case 'InSubquery':
      return { kind: 'in-query', expr: normalizeExpr(raw['expr']), query: normalizeQuery(raw['subquery']), negated };
    case 'Exists':
      return { kind: 'exists', query: normalizeQuery(raw['subquery']), negated };
    case 'Between':
      return {
        kind: 'between',
        expr: normalizeExpr(raw['expr']),
        low: normalizeExpr(raw['low']),
        high: normalizeExpr(raw['high']),
        negated,
      };
    case 'Like':
      return like('LIKE', raw);
    case 'ILike':
      return like('ILIKE', raw);
    case 'SimilarTo':
      return like('SIMILAR TO', raw);
    default:
      return undefined;
  }
}

function like(operator: LikeExpr['operator'], raw: RawObject): Expr {
  if (isTrue(raw['any'])) throw notImplemented('ANY in LIKE expression');
  let escapeChar: string | undefined;
  if (has(raw['escape_char'])) {
    const literal = value(objectOf(raw['escape_char'])['value']);
    if (literal.kind !== 'string' || [...literal.value].length !== 1) throw planError('Invalid escape character in LIKE expression');
    escapeChar = literal.value;
  }
  const negated = isTrue(raw['negated']);
  return { kind: 'like', operator, expr: normalizeExpr(raw['expr']), pattern: normalizeExpr(raw['pattern']), escape: escapeChar, negated };
}

/** Forms with their own grammar that are function calls in truth. */
function special(kind: string, raw: Raw): Expr | undefined {
  if (!isObject(raw)) return undefined;
  switch (kind) {
    case 'Extract':
      return simpleCall('date_part', [{ kind: 'string', value: extractField(raw['field']) }, normalizeExpr(raw['expr'])]);
    case 'Position':
      return simpleCall('strpos', [normalizeExpr(raw['in']), normalizeExpr(raw['expr'])]);
    case 'Substring': {
      if (!has(raw['substring_from']) && !has(raw['substring_for'])) throw planError('Substring without for/from is not valid');
      const from = has(raw['substring_from']) ? normalizeExpr(raw['substring_from']) : ({ kind: 'number', text: '1' } as const);
      const args = [normalizeExpr(raw['expr']), from];
      return simpleCall('substr', has(raw['substring_for']) ? [...args, normalizeExpr(raw['substring_for'])] : args);
    }
    case 'Trim': {
      const name = raw['trim_where'] === 'Leading' ? 'ltrim' : raw['trim_where'] === 'Trailing' ? 'rtrim' : 'btrim';
      const what = has(raw['trim_what']) ? raw['trim_what'] : listOf(raw['trim_characters'])[0];
      return simpleCall(name, has(what) ? [normalizeExpr(raw['expr']), normalizeExpr(what)] : [normalizeExpr(raw['expr'])]);
    }
    case 'Overlay': {
      const args = [normalizeExpr(raw['expr']), normalizeExpr(raw['overlay_what']), normalizeExpr(raw['overlay_from'])];
      return simpleCall('overlay', has(raw['overlay_for']) ? [...args, normalizeExpr(raw['overlay_for'])] : args);
    }
    case 'Ceil':
    case 'Floor': {
      const field = raw['field'];
      if (!isObject(field) || field['DateTimeField'] !== 'NoDateTime')
        throw notImplemented(`${kind} with datetime or scale is not supported`);
      return simpleCall(kind.toLowerCase(), [normalizeExpr(raw['expr'])]);
    }
    case 'AnyOp':
      return anyOf(raw);
    case 'AtTimeZone':
      return { kind: 'at-zone', expr: normalizeExpr(raw['timestamp']), zone: normalizeExpr(raw['time_zone']) };
    case 'Case':
      return {
        kind: 'case',
        operand: has(raw['operand']) ? normalizeExpr(raw['operand']) : undefined,
        branches: listOf(raw['conditions']).map((branch) => ({
          when: normalizeExpr(objectOf(branch)['condition']),
          result: normalizeExpr(objectOf(branch)['result']),
        })),
        otherwise: has(raw['else_result']) ? normalizeExpr(raw['else_result']) : undefined,
      };
    default:
      return undefined;
  }
}

function extractField(raw: Raw): string {
  if (typeof raw === 'string') return raw.toLowerCase();
  const node = nodeOf(raw);
  if (node.kind === 'Custom') return textOf(objectOf(node.body)['value']).toLowerCase();
  return node.kind.toLowerCase();
}

function structure(kind: string, raw: Raw): Expr | undefined {
  if (kind === 'Dictionary') {
    return {
      kind: 'struct',
      members: listOf(raw).map((member) => ({
        name: identifier(objectOf(member)['key']),
        value: normalizeExpr(objectOf(member)['value']),
      })),
    };
  }
  if (!isObject(raw)) return undefined;
  if (kind === 'Array') return { kind: 'array', items: listOf(raw['elem']).map(normalizeExpr) };
  if (kind === 'Struct') {
    onlyMembers(raw, 'STRUCT', ['values']);
    return {
      kind: 'struct',
      members: listOf(raw['values']).map((item, index) => {
        const node = nodeOf(item);
        if (node.kind !== 'Named') return { name: `c${index}`, value: normalizeExpr(item) };
        return { name: identifier(objectOf(node.body)['name']), value: normalizeExpr(objectOf(node.body)['expr']) };
      }),
    };
  }
  if (kind === 'Map') {
    return {
      kind: 'map',
      entries: listOf(raw['entries']).map((entry) => ({
        key: normalizeExpr(objectOf(entry)['key']),
        value: normalizeExpr(objectOf(entry)['value']),
      })),
    };
  }
  if (kind !== 'CompoundFieldAccess') return undefined;
  return listOf(raw['access_chain']).reduce<Expr>(access, normalizeExpr(raw['root']));
}

function access(expr: Expr, raw: Raw): Expr {
  const step = nodeOf(raw);
  if (step.kind === 'Dot') {
    const name = nodeOf(step.body);
    if (name.kind !== 'Identifier') throw notImplemented('Unsupported field access');
    if (expr.kind === 'column') {
      return { ...expr, path: [...expr.path, identifier(name.body)], quoted: [...expr.quoted, isQuoted(name.body)] };
    }
    return { kind: 'field', expr, name: identifier(name.body) };
  }
  const subscript = nodeOf(step.body);
  const info = objectOf(subscript.body);
  if (subscript.kind === 'Index') {
    const index = normalizeExpr(info['index']);
    return index.kind === 'string' ? { kind: 'field', expr, name: index.value } : { kind: 'subscript', expr, index };
  }
  onlyMembers(info, 'slice', ['lower_bound', 'upper_bound', 'stride']);
  const low = has(info['lower_bound']) ? normalizeExpr(info['lower_bound']) : undefined;
  const high = has(info['upper_bound']) ? normalizeExpr(info['upper_bound']) : undefined;
  const stride = has(info['stride']) ? normalizeExpr(info['stride']) : undefined;
  return { kind: 'slice', expr, low, high, stride };
}

function value(raw: Raw): Expr {
  const { kind, body } = nodeOf(raw);
  switch (kind) {
    case 'Number':
      return { kind: 'number', text: textOf(listOf(body)[0]) };
    case 'SingleQuotedString':
    case 'EscapedStringLiteral':
    case 'NationalStringLiteral':
    case 'UnicodeStringLiteral':
      return { kind: 'string', value: textOf(body) };
    case 'DollarQuotedString':
      return { kind: 'string', value: textOf(objectOf(body)['value']) };
    case 'HexStringLiteral':
      return { kind: 'hex', value: textOf(body) };
    case 'Boolean':
      return { kind: 'boolean', value: isTrue(body) };
    case 'Null':
      return { kind: 'null' };
    case 'Placeholder': {
      const name = textOf(body);
      if (!name.startsWith('$') || name.length < 2) throw planError('Invalid placeholder, not a number: ?');
      return { kind: 'param', name: name.slice(1) };
    }
    default:
      throw planError(`Unsupported Value ${kind}`);
  }
}

/** Symbols of LIKE: operator, and whether it is negated. */
const likeSymbols: Readonly<Record<string, readonly ['LIKE' | 'ILIKE', boolean, string]>> = {
  PGLikeMatch: ['LIKE', false, '~~'],
  PGILikeMatch: ['ILIKE', false, '~~*'],
  PGNotLikeMatch: ['LIKE', true, '!~~'],
  PGNotILikeMatch: ['ILIKE', true, '!~~*'],
};

/** Operators that are calls: of the left operand and the right one, or the other way round. */
const containment: Readonly<Record<string, boolean>> = { AtArrow: false, ArrowAt: true };

function symbolic(op: string, left: Expr, right: Expr): Expr {
  if (Object.hasOwn(containment, op)) return simpleCall('array_has_all', containment[op] ? [right, left] : [left, right]);
  const [operator, negated, symbol] = likeSymbols[op] as (typeof likeSymbols)[string];
  return { kind: 'like', operator, symbol, expr: left, pattern: right, escape: undefined, negated };
}

/** `x = ANY (list)`. */
function anyOf(raw: RawObject): Expr {
  const op = nodeOf(raw['compare_op']).kind;
  if (op !== 'Eq') throw notImplemented(`${op} with ANY: only = ANY is supported`);
  return simpleCall('array_has', [normalizeExpr(raw['right']), normalizeExpr(raw['left'])]);
}

function binary(raw: RawObject): Expr {
  const op = raw['op'];
  // Each operand is read once: chains of operators are deep.
  if (typeof op === 'string' && (Object.hasOwn(likeSymbols, op) || Object.hasOwn(containment, op))) {
    return symbolic(op, normalizeExpr(raw['left']), normalizeExpr(raw['right']));
  }
  if (typeof op !== 'string' || !Object.hasOwn(binaryOperators, op)) {
    throw notImplemented(`Unsupported SQL binary operator ${typeof op === 'string' ? op : nodeOf(op).kind}`);
  }
  return {
    kind: 'binary',
    op: binaryOperators[op] as BinaryOperator,
    left: normalizeExpr(raw['left']),
    right: normalizeExpr(raw['right']),
  };
}

function unary(raw: RawObject): Expr {
  const op = raw['op'];
  const expr = normalizeExpr(raw['expr']);
  if (op === 'Minus') return { kind: 'unary', op: '-', expr };
  if (op === 'Plus') return { kind: 'unary', op: '+', expr };
  if (op === 'Not') return { kind: 'unary', op: 'NOT', expr };
  throw notImplemented(`Unsupported SQL unary operator ${typeof op === 'string' ? op : nodeOf(op).kind}`);
}

function cast(raw: RawObject): Expr {
  if (has(raw['format'])) throw notImplemented('CAST with format is not supported');
  const attempt = raw['kind'] === 'TryCast' || raw['kind'] === 'SafeCast';
  return { kind: 'cast', expr: normalizeExpr(raw['expr']), target: normalizeType(raw['data_type']), attempt };
}

function interval(raw: RawObject): Expr {
  if (has(raw['leading_precision']) || has(raw['last_field']) || has(raw['fractional_seconds_precision'])) {
    throw notImplemented('Unsupported Interval Expression');
  }
  const unit = has(raw['leading_field']) ? extractField(raw['leading_field']) : undefined;
  const value = normalizeExpr(raw['value']);
  // compat: the unit that follows is that of the last number
  if (unit !== undefined && value.kind === 'string' && /[a-z]\s*$/i.test(value.value)) {
    throw arrowError(`Parser error: Invalid input syntax for type interval: "${value.value} ${unit.toUpperCase()}"`);
  }
  return { kind: 'interval', value, unit };
}

function exprSets(raw: Raw): readonly (readonly Expr[])[] {
  return listOf(raw).map((set) => listOf(set).map(normalizeExpr));
}
