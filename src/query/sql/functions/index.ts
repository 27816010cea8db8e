import { planError } from '../types/errors.ts';
import { didYouMean, editDistance } from '../types/near-names.ts';
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

/** The refusal of a name that no table knows. Some name is always suggested: of equally near ones, one with the same beginning. */
export function invalidFunction(name: string, known: readonly string[]): Error {
  let best = 'abs';
  let distance = Number.POSITIVE_INFINITY;
  for (const candidate of [...Object.keys(scalarFunctions), ...known]) {
    const next = editDistance(name, candidate) - sharedStart(name, candidate) / SHARED_WEIGHT;
    if (next < distance) {
      best = candidate;
      distance = next;
    }
  }
  return planError(`Invalid function '${name}'.${didYouMean(best)}`);
}

/** So many letters at the beginning count as much as one edit. */
const SHARED_WEIGHT = 2;

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
