import { newPolicyDatabase } from '../../../catalog/index.ts';

/** Longest database name of the v1 and v2 endpoints, bytes. v3 allows more. */
const LEGACY_NAME_BYTES_MAX = 64;

/**
 * The name check that v1 and v2 make before the common one. Gives the refusal text, undefined = fine.
 */
export function refuseLegacyName(name: string): string | undefined {
  const size = Buffer.byteLength(name);
  if (size === 0 || size > LEGACY_NAME_BYTES_MAX) {
    return `namespace name ${name} length must be between 1 and ${LEGACY_NAME_BYTES_MAX} characters`;
  }
  const index = [...name].findIndex((char) => !/^[\p{L}\p{N}/_-]$/u.test(char));
  if (index < 0) return undefined;
  return `namespace name '${name}' contains invalid character, character number ${index} is not allowed`;
}

/** `db` and `rp` of a bucket: it is named `db` or, as InfluxDB 1.8 reads it, `db/rp`. */
export function bucketParts(bucket: string): { readonly database: string; readonly policy: string | undefined } {
  const slash = bucket.indexOf('/');
  return slash < 0 ? { database: bucket, policy: undefined } : { database: bucket.slice(0, slash), policy: bucket.slice(slash + 1) };
}

/** The database of a bucket, whatever there is. */
export function bucketDatabase(bucket: string): string {
  const { database, policy } = bucketParts(bucket);
  return newPolicyDatabase(database, policy);
}
