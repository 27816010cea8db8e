/** Mathematical functions. */

import { coercionError } from '../types/errors.ts';
import { type Typed, typed } from '../types/typed.ts';
import { arrowTypeText, boolean, commonNumeric, float64, int64, isFloat, isNumeric } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { arg, defineFunctions, type ScalarCall } from './define.ts';

export const mathFunctions = defineFunctions([
  ['acosh asinh atan cosh degrees exp radians sinh tanh', 1, 1, onDouble],
  ['acos asin atanh sqrt ln log10 log2 cbrt signum sin cos tan cot', 1, 1, onDoubleMacro],
  ['ceil floor', 1, 1, onDouble],
  ['atan2', 2, 2, atan2],
  ['pi', 0, 0, () => typed('pi()', float64)],
  ['random', 0, 0, () => typed('random()', float64)],
  ['isnan', 1, 1, (call) => typed(`isnan(${double(arg(call, 0))})`, boolean)],
  ['iszero', 1, 1, (call) => typed(`(${numeric(call, 0).sql} = 0)`, boolean)],
  ['abs', 1, 1, abs],
  ['gcd lcm', 2, 2, (call) => typed(`${call.name}(${castTo(numeric(call, 0), int64).sql}, ${castTo(numeric(call, 1), int64).sql})`, int64)],
  ['factorial', 1, 1, (call) => typed(`_df.factorial(${castTo(numeric(call, 0), int64).sql})`, int64)],
  ['log', 1, 2, log],
  ['round trunc', 1, 2, round],
  ['power pow', 2, 2, power],
  ['nanvl', 2, 2, (call) => typed(`_df.nanvl(${double(arg(call, 0))}, ${double(arg(call, 1))})`, float64)],
]);

function numeric(call: ScalarCall, index: number): Typed {
  const value = arg(call, index);
  if (isNumeric(value.type)) return value;
  if (value.type.kind === 'null' || value.type.kind === 'unknown' || value.type.kind === 'string') return castTo(value, float64);
  throw coercionError(`Failed to coerce arguments to satisfy a call to '${call.name}' function: ${arrowTypeText(value.type)}`);
}

function double(value: Typed): string {
  return castTo(value, float64).sql;
}

function onDouble(call: ScalarCall): Typed {
  return asPrecise(call, `${call.name}(${call.args.map((_, index) => double(numeric(call, index))).join(', ')})`);
}

function onDoubleMacro(call: ScalarCall): Typed {
  return asPrecise(call, `_df.${call.name}(${double(numeric(call, 0))})`);
}

/** A double; of a single float a single one. */
function asPrecise(call: ScalarCall, sql: string): Typed {
  const value = typed(sql, float64);
  return arg(call, 0).type.kind === 'float32' ? castTo(value, { kind: 'float32' }) : value;
}

function abs(call: ScalarCall): Typed {
  const value = numeric(call, 0);
  return typed(`abs(${value.sql})`, value.type);
}

/** compat: of integers and single floats a single float. */
function atan2(call: ScalarCall): Typed {
  const single = call.args.every(({ type }) => type.kind === 'int' || type.kind === 'float32');
  const value = onDouble(call);
  return single ? castTo(value, { kind: 'float32' }) : value;
}

function log(call: ScalarCall): Typed {
  // As Rust computes it: log10 differs in the last digit.
  if (call.args.length === 1) return typed(`(_df.ln(${double(numeric(call, 0))}) / ln(CAST(10 AS DOUBLE)))`, float64);
  const value = typed(`(_df.ln(${double(numeric(call, 1))}) / _df.ln(${double(numeric(call, 0))}))`, float64);
  return arg(call, 1).type.kind === 'float32' ? castTo(value, { kind: 'float32' }) : value;
}

function round(call: ScalarCall): Typed {
  const value = double(numeric(call, 0));
  const places = call.args[1];
  if (!places) return asPrecise(call, `${call.name}(${value})`);
  if (call.name === 'trunc' && places.constant?.kind === 'int' && places.constant.value === 0n) return asPrecise(call, `trunc(${value})`);
  // compat: with places other than none, trunc rounds
  return asPrecise(call, `round(${value}, CAST(${castTo(places, int64).sql} AS INTEGER))`);
}

function power(call: ScalarCall): Typed {
  const [base, exponent] = [numeric(call, 0), numeric(call, 1)];
  const type = commonNumeric(base.type, exponent.type);
  if (isFloat(type) || type.kind === 'decimal') return typed(`pow(${double(base)}, ${double(exponent)})`, float64);
  return typed(`_df.int_pow(${castTo(base, int64).sql}, ${castTo(exponent, int64).sql})`, int64);
}
