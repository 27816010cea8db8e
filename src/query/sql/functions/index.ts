import { planError } from '../types/errors.ts';
import type { FunctionTable, ScalarFunction } from './define.ts';
import { digestFunctions } from './digests.ts';
import { listFunctions } from './lists.ts';
import { mathFunctions } from './math.ts';
import { miscFunctions } from './misc.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './time.ts';

const scalarFunctions: FunctionTable = Object.assign(
  Object.create(null),
  mathFunctions,
  stringFunctions,
  digestFunctions,
  timeFunctions,
  miscFunctions,
  listFunctions,
);

/** The white list of scalar functions. Names are folded. */
export function scalarFunction(name: string): ScalarFunction | undefined {
  return scalarFunctions[name];
}

/** The refusal of a name that no table knows. */
export function invalidFunction(name: string, known: readonly string[]): Error {
  const candidates = [...Object.keys(scalarFunctions), ...known];
  let best = 'abs';
  let distance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const next = editDistance(name.slice(0, 40), candidate);
    if (next < distance) {
      best = candidate;
      distance = next;
    }
  }
  return planError(`Invalid function '${name}'.\nDid you mean '${best}'?`);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + cost));
    }
    row = next;
  }
  return row[b.length] as number;
}
