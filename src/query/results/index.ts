/** What protocols need to read results; loads nothing of DuckDB. */

export { booleanVector, textVector } from './made-vectors.ts';
export { bytesAt, isNullAt, isSameText, textAt } from './result-access.ts';
export { decimalNumber, hugeInteger } from './wide-numbers.ts';
