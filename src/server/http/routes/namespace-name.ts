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

/** Database that v1's `db` and `rp` name together. */
export function legacyDatabaseName(db: string, rp: string | undefined): string {
  const policy = (rp ?? '').toLowerCase();
  return policy === '' || policy === "''" || policy === 'autogen' || policy === 'default' ? db : `${db}/${policy}`;
}

/** Database that a bucket names: `db` or, as InfluxDB 1.8 reads it, `db/rp`. */
export function bucketDatabase(bucket: string): string {
  const slash = bucket.indexOf('/');
  return slash < 0 ? bucket : legacyDatabaseName(bucket.slice(0, slash), bucket.slice(slash + 1));
}
