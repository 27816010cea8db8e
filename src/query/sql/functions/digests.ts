/** Digest functions. */
import { createHash } from 'node:crypto';
import { notImplemented, planError } from '../types/errors.ts';
import { type Typed, typed } from '../types/typed.ts';
import { binaryType, utf8 } from '../types/types.ts';
import { toText } from '../values/casts.ts';
import { arg, constantText, defineFunctions, type ScalarCall } from './define.ts';

export const digestFunctions = defineFunctions([
  ['md5', 1, 1, (call) => typed(`md5(${bytesOf(arg(call, 0))})`, utf8)],
  ['sha224 sha256 sha384 sha512', 1, 1, (call) => digestOf(arg(call, 0), call.name)],
  ['digest', 2, 2, digest],
]);

/** Functions of one argument that DuckDB does not have. */
export const digestsInResultOnly: ReadonlySet<string> = new Set(['sha224', 'sha384', 'sha512']);

/** Algorithms of `digest`, and their names in Node.js. */
const digests: Readonly<Record<string, string>> = {
  md5: 'md5',
  sha224: 'sha224',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
  blake2b: 'blake2b512',
  blake2s: 'blake2s256',
};

/** Digests of columns that DuckDB can make, as functions that give hex digits. */
const engineDigests: ReadonlySet<string> = new Set(['md5', 'sha256']);

/** The name that Node.js gives an algorithm. */
export function algorithmOf(name: string): string | undefined {
  return Object.hasOwn(digests, name) ? digests[name] : undefined;
}

/** True when DuckDB has no function for the algorithm, named as Node.js does. */
export function digestNeedsResult(algorithm: string): boolean {
  return !engineDigests.has(algorithm);
}

/** The encodings of `encode`. */
export function encodingOf(name: string): 'hex' | 'base64' | undefined {
  const folded = name.toLowerCase();
  return folded === 'hex' || folded === 'base64' ? folded : undefined;
}

function digest(call: ScalarCall): Typed {
  const algorithm = constantText(arg(call, 1))?.toLowerCase();
  if (algorithm === undefined) throw notImplemented('digest with an algorithm that is not a literal');
  if (algorithm === 'blake3') throw notImplemented('digest with the algorithm blake3');
  if (algorithmOf(algorithm) === undefined) {
    throw planError(
      `There is no built-in digest algorithm named '${algorithm}', currently supported algorithms are: ${Object.keys(digests).join(', ')}`,
    );
  }
  return digestOf(arg(call, 0), algorithm);
}

/** Constants are digested here; for columns there is only what DuckDB has. */
function digestOf(value: Typed, algorithm: string): Typed {
  if (value.constant?.kind === 'null' || value.type.kind === 'null') return typed('CAST(NULL AS BLOB)', binaryType);
  if (value.constant?.kind === 'string') {
    const hex = createHash(algorithmOf(algorithm) as string)
      .update(value.constant.value)
      .digest('hex');
    return typed(`unhex('${hex}')`, binaryType);
  }
  if (!engineDigests.has(algorithm)) throw digestOnlyInResult(algorithm);
  return typed(`unhex(${algorithm}(${bytesOf(value)}))`, binaryType);
}

/** The refusal of a digest of rows anywhere but in the outermost select list. */
export function digestOnlyInResult(algorithm: string): Error {
  return notImplemented(`${algorithm} of a value that is not a constant, other than as an item of the outermost select list`);
}

function bytesOf(value: Typed): string {
  return value.type.kind === 'binary' ? value.sql : toText(value).sql;
}
