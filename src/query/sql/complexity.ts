/** A ceiling for what a short statement can make DuckDB work on. */
import type { InfluxError } from '../../shared/errors.ts';
import { planError } from './types/errors.ts';

/** Printed SQL may be this many times longer than the statement, plus a fixed allowance. */
const growthMax = 40;
const lengthAllowance = 50_000;
/** How many copies of an innermost argument nested helper macros may make. */
const copiesMax = 50_000;
/** Copies that a helper makes of its argument; others make at most `defaultCopies`. */
const copies: ReadonlyMap<string, number> = new Map([['ts_text', 24]]);
const defaultCopies = 5;

/** Throws when nesting has multiplied the statement: operators and helpers may use an operand more than once. */
export function checkComplexity(sql: string, statementChars: number): void {
  if (sql.length > growthMax * statementChars + lengthAllowance) throw tooComplex();
  const first = sql.indexOf('_df.');
  if (first >= 0 && sql.indexOf('_df.', first + 4) >= 0) checkNesting(sql);
}

/** What a statement is told that is nested deeper than DuckDB goes. */
export function tooComplex(): InfluxError {
  return planError('the expressions of the statement are nested too deeply');
}

const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|_df\.(\w+)\(|\(|\)/g;

function checkNesting(sql: string): void {
  const factors: number[] = [];
  let product = 1;
  for (const match of sql.matchAll(token)) {
    const text = match[0];
    if (text === ')') product /= factors.pop() ?? 1;
    else if (text.endsWith('(')) {
      const factor = match[1] === undefined ? 1 : (copies.get(match[1]) ?? defaultCopies);
      factors.push(factor);
      product *= factor;
      if (product > copiesMax) throw tooComplex();
    }
  }
}
