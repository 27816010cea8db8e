/** Scalar functions. */
import { planError } from './errors.ts';
import { asFloat, isNumeric, missing, type Value, wrapped } from './types.ts';

const unaryFloat: Readonly<Record<string, string>> = {
  acos: '_df.acos',
  asin: '_df.asin',
  atan: 'atan',
  ceil: 'ceil',
  cos: 'cos',
  exp: 'exp',
  floor: 'floor',
  ln: '_df.ln',
  log10: '_df.log10',
  log2: '_df.log2',
  sin: 'sin',
  sqrt: '_df.sqrt',
  tan: 'tan',
};

const binaryFunctions: ReadonlySet<string> = new Set(['atan2', 'log', 'pow']);

/** True for the name of a scalar math function. */
export function isMathFunction(name: string): boolean {
  return Object.hasOwn(unaryFloat, name) || binaryFunctions.has(name) || name === 'abs' || name === 'round';
}

/** Checks the number of arguments. */
export function checkMathArity(name: string, count: number): void {
  const expected = binaryFunctions.has(name) ? 2 : 1;
  if (count !== expected) throw planError(`invalid number of arguments for ${name}, expected ${expected}, got ${count}`);
}

/** A math function over values; anything that is no number gives NULL. */
export function mathFunction(name: string, args: readonly Value[]): Value {
  const [x = missing, y = missing] = args;
  if (!args.every((arg) => isNumeric(arg.type))) return missing;
  if (name === 'abs') return absolute(x);
  if (name === 'pow') return power(x, y);
  if (name === 'atan2') return { sql: `atan2(${asFloat(x)}, ${asFloat(y)})`, type: 'float' };
  // DuckDB takes the base first
  if (name === 'log') return { sql: `(_df.ln(${asFloat(x)}) / _df.ln(${asFloat(y)}))`, type: 'float' };
  if (name === 'round') {
    // half away from zero, as both engines do
    return { sql: `round(${asFloat(x)})`, type: 'float' };
  }
  return { sql: `${unaryFloat[name]}(${asFloat(x)})`, type: 'float' };
}

function absolute(x: Value): Value {
  if (x.type === 'integer') return { sql: wrapped(`abs(${x.sql}::HUGEINT)`, 'integer'), type: 'integer' };
  return { sql: `abs(${x.sql})`, type: x.type };
}

function power(x: Value, y: Value): Value {
  const whole = x.type !== 'float' && y.type !== 'float';
  const sql = `pow(${asFloat(x)}, ${asFloat(y)})`;
  return whole ? { sql: `TRY_CAST(${sql} AS BIGINT)`, type: 'integer' } : { sql, type: 'float' };
}
