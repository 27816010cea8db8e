/** Expressions as error messages show them. */
import { INFLUXQL_UNIT_NS } from '../../../shared/time-units.ts';
import type { Expr, Literal } from './ir.ts';

/** InfluxQL text of an expression. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'ref':
      return expr.cast === undefined ? name(expr.name) : `${name(expr.name)}::${expr.cast}`;
    case 'literal':
      return printLiteral(expr.literal);
    case 'wildcard':
      return expr.only === undefined ? '*' : `*::${expr.only}`;
    case 'call':
      return `${expr.name}(${expr.args.map(printExpr).join(', ')})`;
    case 'binary':
      return `${printExpr(expr.left)} ${expr.op} ${printExpr(expr.right)}`;
  }
}

function name(text: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) ? text : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function printLiteral(literal: Literal): string {
  switch (literal.kind) {
    case 'string':
      return `'${literal.value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
    case 'regex':
      return `/${literal.source.replaceAll('/', '\\/')}/`;
    case 'duration':
      return printDuration(literal.ns);
    case 'timestamp':
      return String(literal.ns);
    case 'float':
      return Number.isInteger(literal.value) ? `${literal.value}.0` : String(literal.value);
    default:
      return String(literal.value);
  }
}

/** `1h30m`. */
export function printDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  let rest = ns < 0n ? -ns : ns;
  let text = ns < 0n ? '-' : '';
  for (const [unit, size] of Object.entries(INFLUXQL_UNIT_NS)) {
    if (rest >= size) text += `${rest / size}${unit}`;
    rest %= size;
  }
  return text;
}

/** A value as InfluxDB 3 Core's internal notation shows it: `Literal(Float(2.5))`. */
export function debugExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'literal':
      return `Literal(${debugLiteral(expr.literal)})`;
    case 'ref':
      return `VarRef(VarRef { name: Identifier("${expr.name}"), data_type: None })`;
    case 'wildcard':
      return `Wildcard(${expr.only === undefined ? 'None' : `Some(${expr.only === 'tag' ? 'Tag' : 'Field'})`})`;
    case 'call':
      return `Call(Call { name: "${expr.name}", args: [${expr.args.map(debugExpr).join(', ')}] })`;
    case 'binary':
      return `Binary(Binary { lhs: ${debugExpr(expr.left)}, op: ${expr.op}, rhs: ${debugExpr(expr.right)} })`;
  }
}

function debugLiteral(literal: Literal): string {
  switch (literal.kind) {
    case 'integer':
      return `Integer(${literal.value})`;
    case 'unsigned':
      return `Unsigned(${literal.value})`;
    case 'float':
      return `Float(${Number.isInteger(literal.value) ? `${literal.value}.0` : literal.value})`;
    case 'string':
      return `String("${literal.value}")`;
    case 'boolean':
      return `Boolean(${literal.value})`;
    case 'duration':
      return `Duration(Duration(${literal.ns}))`;
    case 'timestamp':
      return `Timestamp(${literal.ns})`;
    case 'regex':
      return `Regex(Regex("${literal.source}"))`;
  }
}
