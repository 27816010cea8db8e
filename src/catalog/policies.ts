import { DAY_NS, HOUR_NS } from '../shared/time-units.ts';
import type { DatabaseSchema } from './schema.ts';

/** The database that holds the rows of a retention policy; `policy` undefined or empty = none was named. */
export type PolicyDatabase = (database: string, policy: string | undefined) => string;

/** Finds a database by its name. */
export type FindDatabase = (name: string) => Pick<DatabaseSchema, 'deleted' | 'defaultPolicy'> | undefined;

/** The policy that is the database itself. */
const OWN_POLICY = 'autogen';

/** True for the name, in any letter case, of the policy that is the database itself. */
export function isOwnPolicy(policy: string): boolean {
  return policy.toLowerCase() === OWN_POLICY;
}

/** True when a v1 client that sends this names no policy. */
export function namesNoPolicy(policy: string | undefined): boolean {
  const name = policy?.toLowerCase() ?? '';
  return name === '' || name === "''" || name === 'default';
}

/** Name of the database of a policy that is new: policies of v1 are in lower case. */
export function newPolicyDatabase(database: string, policy: string | undefined): string {
  return policy === undefined || namesNoPolicy(policy) || isOwnPolicy(policy) ? database : `${database}/${policy.toLowerCase()}`;
}

/**
 * Policies as v1 and v2 clients name them: the policy `rp` of `db` is the database `db/rp`, `autogen` is `db` itself, and none at all is the
 * default of `db`. A database with the name as it is written counts before the one in lower case.
 */
export function policyDatabases(find: FindDatabase): PolicyDatabase {
  const live = (name: string): boolean => find(name)?.deleted === false;
  return (database, policy) => {
    if (policy === undefined || namesNoPolicy(policy)) return defaultPolicyOf(find, database) ?? database;
    const written = `${database}/${policy}`;
    return !isOwnPolicy(policy) && live(written) ? written : newPolicyDatabase(database, policy);
  };
}

/** As long as the shards that InfluxDB 1 makes for a retention of this length, ns; undefined = rows are kept for ever. */
export function usualShardDurationNs(retentionNs: bigint | undefined): bigint {
  if (retentionNs === undefined || retentionNs >= 180n * DAY_NS) return 7n * DAY_NS;
  return retentionNs >= 2n * DAY_NS ? DAY_NS : HOUR_NS;
}

/** The database of the default policy; undefined = the database itself, also when that of the policy is gone. */
function defaultPolicyOf(find: FindDatabase, database: string): string | undefined {
  const policy = find(database)?.defaultPolicy;
  if (policy === undefined) return undefined;
  const name = `${database}/${policy}`;
  return find(name)?.deleted === false ? name : undefined;
}
