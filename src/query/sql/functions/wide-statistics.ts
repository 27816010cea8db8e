/** Variances and what is made of them, for numbers whose squares no double holds. */

type Make = (fn: string, args: readonly string[]) => string;

/** Numbers up to this have squares whose sums fit a double. */
const SQUARED_MAX = '1e145::DOUBLE';

/** 2^-600: brings every double below `SQUARED_MAX`, without rounding. */
const SHRINK = '2.409919865102884e-181::DOUBLE';

/** 2^600. */
const GROW = '4.149515568880993e+180::DOUBLE';

const NAN = "CAST('nan' AS DOUBLE)";

/** What the result is multiplied with when the numbers were shrunk. */
const GROWTH: Readonly<Record<string, string>> = {
  stddev_samp: ` * ${GROW}`,
  stddev_pop: ` * ${GROW}`,
  var_samp: ` * ${GROW} * ${GROW}`,
  var_pop: ` * ${GROW} * ${GROW}`,
};

/**
 * SQL of a standard deviation or variance of doubles of any size, where DuckDB's own fails: infinite when it is too large, not a number when one
 * of the values is none or infinite.
 */
export function wideSpread(fn: string, value: string, make: Make): string {
  const finite = make('bool_and', [`coalesce(isfinite(${value}), true)`]);
  const small = make(fn, [ifSmall(value)]);
  const large = make(fn, [shrunk(value)]);
  return `(CASE WHEN NOT ${finite} THEN ${NAN} WHEN ${allSmall(value, make)} THEN ${small} ELSE ${large}${GROWTH[fn] ?? ''} END)`;
}

/** As `wideSpread` for a function of pairs that does not depend on their units: `corr`, `regr_r2`. */
export function wideRelation(fn: string, y: string, x: string, make: Make): string {
  const finite = make('bool_and', [`coalesce(isfinite(${y}) AND isfinite(${x}), true)`]);
  const [smallY, smallX] = [allSmall(y, make), allSmall(x, make)];
  return (
    `(CASE WHEN NOT ${finite} THEN ${NAN} WHEN ${smallY} AND ${smallX} THEN ${make(fn, [ifSmall(y), ifSmall(x)])} ` +
    `WHEN ${smallY} THEN ${make(fn, [ifSmall(y), shrunk(x)])} WHEN ${smallX} THEN ${make(fn, [shrunk(y), ifSmall(x)])} ` +
    `ELSE ${make(fn, [shrunk(y), shrunk(x)])} END)`
  );
}

function allSmall(value: string, make: Make): string {
  return `coalesce(${make('max', [`abs(${value})`])} <= ${SQUARED_MAX}, true)`;
}

/** Branches that are not taken must not fail either. */
function ifSmall(value: string): string {
  return `CASE WHEN abs(${value}) <= ${SQUARED_MAX} THEN ${value} END`;
}

function shrunk(value: string): string {
  return `CASE WHEN isfinite(${value}) THEN ${value} * ${SHRINK} END`;
}
