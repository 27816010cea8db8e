/** What protocols need to read results; loads nothing of DuckDB. */

export { arrowSchema } from './arrow-fields.ts';
export { BOOLEAN, BYTES, INT32, type MadeColumn, madeResult, madeVector, TEXT, TEXTS } from './made-result.ts';
export { textVector } from './made-vectors.ts';
export { bytesAt, isNullAt, isSameText, plainAt, textAt } from './result-access.ts';
export { decimalText, hugeInteger } from './wide-numbers.ts';
