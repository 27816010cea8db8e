import type { ResultVector } from '../result.ts';
import { ValidBitsBuilder } from './vector-source.ts';

/** A vector of texts that are strings already. */
export function textVector(texts: readonly (string | null)[]): ResultVector {
  const offsets = new Uint32Array(texts.length + 1);
  const valid = new ValidBitsBuilder(texts.length);
  texts.forEach((text, i) => {
    if (text === null) valid.setNull(i);
    offsets[i + 1] = (offsets[i] as number) + (text === null ? 0 : Buffer.byteLength(text));
  });
  const bytes = Buffer.allocUnsafeSlow(offsets[texts.length] as number);
  texts.forEach((text, i) => {
    if (text !== null) bytes.write(text, offsets[i] as number);
  });
  return { kind: 'string', bytes, offsets, valid: valid.build() };
}
