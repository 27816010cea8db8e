import {
  type Catalog,
  type DatabaseSchema,
  isOwnPolicy,
  namesNoPolicy,
  newPolicyDatabase,
  type PolicyShards,
  policyDatabases,
  usualShardDurationNs,
} from '../catalog/index.ts';
import {
  type ChangeStatement,
  type ChangeTarget,
  deleteCondition,
  type InfluxqlChanges,
  type NamePattern,
  namePattern,
  type PolicyOptions,
  type Source,
} from '../query/influxql/index.ts';
import { InfluxError } from '../shared/errors.ts';
import { TIME_NS_MAX, TIME_NS_MIN } from '../shared/time-range.ts';
import { HOUR_NS } from '../shared/time-units.ts';
import type { AdminService } from './admin-service.ts';
import type { DeleteService } from './row-deletes.ts';

export interface InfluxqlChangeDependencies {
  readonly catalog: Pick<Catalog, 'database' | 'databases'>;
  readonly admin: Pick<AdminService, 'databases' | 'tables'>;
  readonly deletes: DeleteService;
  readonly nowNs: () => bigint;
}

/** Least duration of a policy in InfluxDB 1. */
const DURATION_MIN_NS = HOUR_NS;

/** Least length of a shard in InfluxDB 1. */
const SHARD_MIN_NS = HOUR_NS;

/**
 * Carries out InfluxQL statements that change something, in the way of InfluxDB 1: what is there already is created
 * without a word, and what is not there is dropped so. A retention policy `rp` of `db` is the database `db/rp`, `autogen` is `db` itself.
 */
export function influxqlChanges(deps: InfluxqlChangeDependencies): InfluxqlChanges {
  return {
    async run(change, target) {
      switch (change.what) {
        case 'CREATE DATABASE':
          return createDatabase(deps, change);
        case 'DROP DATABASE':
          return dropDatabases(deps, (name) => name === change.name || name.startsWith(`${change.name}/`));
        case 'CREATE RETENTION POLICY':
          return createPolicy(deps, change);
        case 'ALTER RETENTION POLICY':
          return alterPolicy(deps, change);
        case 'DROP RETENTION POLICY':
          return dropPolicy(deps, change);
        case 'DROP MEASUREMENT':
          for (const database of changedDatabases(deps, target)) await dropMeasurement(deps, database, change.name);
          return;
        case 'DELETE':
        case 'DROP SERIES':
          return deleteRows(deps, changedDatabases(deps, target), change);
      }
    },
  };
}

type Deps = InfluxqlChangeDependencies;
type Change<What extends ChangeStatement['what']> = Extract<ChangeStatement, { what: What }>;
type PolicyChange = Change<'CREATE RETENTION POLICY' | 'ALTER RETENTION POLICY'>;

async function createDatabase(deps: Deps, { name, policy, options }: Change<'CREATE DATABASE'>): Promise<void> {
  const own = policy === undefined || namesNoPolicy(policy) || isOwnPolicy(policy);
  const retentionPeriodNs = retentionOf(options);
  const found = deps.catalog.database(name);
  const shards = shardsOf(options, retentionPeriodNs);
  if (found === undefined) await createTarget(deps, name, own ? { retentionPeriodNs, shards } : NO_POLICY);
  if (!own) return createDefaultPolicy(deps, { name: policy, database: name, retentionPeriodNs, shards });
  if (found !== undefined && options.durationNs !== undefined && !isSamePolicy(found, { retentionPeriodNs, shards }))
    throw policyConflict();
}

/** The policy that a database is created with is its default. */
async function createDefaultPolicy(
  deps: Deps,
  { name, database, ...policy }: { readonly name: string; readonly database: string } & Policy,
): Promise<void> {
  const target = policyDatabase(deps, database, name);
  const found = deps.catalog.database(target);
  if (found === undefined) await createTarget(deps, target, policy);
  else if (!isSamePolicy(found, policy)) throw policyConflict();
  await setDefault(deps, database, target);
}

function policyConflict(): InfluxError {
  return refused('retention policy conflicts with an existing policy');
}

async function dropDatabases(deps: Deps, dropped: (name: string) => boolean): Promise<void> {
  const names = [...deps.catalog.databases()].filter((each) => !each.deleted && dropped(each.name)).map(({ name }) => name);
  for (const name of names) await deps.admin.databases.delete({ name, hardDelete: { kind: 'default' } });
}

async function createPolicy(deps: Deps, { name, database, options }: PolicyChange): Promise<void> {
  liveDatabase(deps, database);
  const target = policyDatabase(deps, database, name);
  const found = deps.catalog.database(target);
  const retentionPeriodNs = retentionOf(options);
  const policy = { retentionPeriodNs, shards: shardsOf(options, retentionPeriodNs) };
  if (found === undefined) await createTarget(deps, target, policy);
  else if (!isSamePolicy(found, policy)) throw refused('retention policy already exists');
  if (options.isDefault) await setDefault(deps, database, target);
}

async function alterPolicy(deps: Deps, { name, database, options }: PolicyChange): Promise<void> {
  liveDatabase(deps, database);
  const target = policyDatabase(deps, database, name);
  const found = deps.catalog.database(target);
  if (found === undefined) throw refused(`retention policy not found: ${name}`);
  const retentionPeriodNs = options.durationNs === undefined ? found.retentionPeriodNs : retentionOf(options);
  const shards = alteredShards(found, options, retentionPeriodNs);
  if (options.durationNs !== undefined) await deps.admin.databases.setRetention({ name: target, retentionPeriodNs });
  await deps.admin.databases.setPolicyShards({ name: target, shards });
  if (options.isDefault) await setDefault(deps, database, target);
}

async function dropPolicy(deps: Deps, { name, database }: Change<'DROP RETENTION POLICY'>): Promise<void> {
  const target = policyDatabase(deps, database, name);
  if (target === database) throw refused(`the retention policy '${name}' is the database '${database}' itself: use DROP DATABASE`);
  const base = deps.catalog.database(database);
  if (base !== undefined && target === `${database}/${base.defaultPolicy}`) await setDefault(deps, database, database);
  await dropDatabases(deps, (each) => each === target);
}

/** @param target the database of the policy, or the database itself */
function setDefault(deps: Deps, database: string, target: string): Promise<void> {
  const policy = target === database ? undefined : target.slice(database.length + 1);
  return deps.admin.databases.setDefaultPolicy({ name: database, policy });
}

async function dropMeasurement(deps: Deps, database: DatabaseSchema, table: string): Promise<void> {
  if (database.tables.get(table)?.deleted !== false) return;
  await deps.admin.tables.delete({ database: database.name, table, hardDelete: { kind: 'default' } });
}

async function deleteRows(
  deps: Deps,
  databases: readonly DatabaseSchema[],
  { what, from, where }: Change<'DELETE' | 'DROP SERIES'>,
): Promise<void> {
  const { range, tags } = deleteCondition(where, deps.nowNs());
  const timed = range.low !== undefined || range.high !== undefined;
  if (timed && what === 'DROP SERIES') throw refused("DROP SERIES doesn't support time in WHERE clause");
  const live = databases.flatMap((database) => [...database.tables.values()].filter(({ deleted }) => !deleted));
  const wanted = from.map(namesOf);
  const tables = from.length === 0 ? live : live.filter(({ name }) => wanted.some((names) => names.test(name)));
  const field = tags.find(([key]) => tables.some(({ columnByName }) => (columnByName.get(key)?.type ?? 'tag') !== 'tag'));
  if (field !== undefined) throw refused('fields not supported in WHERE clause during deletion');
  const startNs = range.low ?? TIME_NS_MIN;
  const stopNs = range.high ?? TIME_NS_MAX;
  for (const { name: database, id } of databases) {
    for (const { name, databaseId } of tables) {
      if (databaseId === id) await deps.deletes.deleteRows(database, { startNs, stopNs, table: name, tags });
    }
  }
}

function namesOf(source: Source): NamePattern {
  if (source.kind === 'subquery') return { test: () => false };
  return source.kind === 'measurement' ? { test: (table) => source.name === table } : namePattern(source.source);
}

/** The database of a policy by its name; that of a new policy is in lower case. */
function policyDatabase({ catalog }: Deps, database: string, policy: string): string {
  if (namesNoPolicy(policy)) return newPolicyDatabase(database, policy);
  return policyDatabases((name) => catalog.database(name))(database, policy);
}

function retentionOf({ durationNs }: PolicyOptions): bigint | undefined {
  if (durationNs === undefined || durationNs === 'forever') return undefined;
  if (durationNs < DURATION_MIN_NS) throw refused('retention policy duration must be at least 1h0m0s');
  return durationNs;
}

interface Policy {
  readonly retentionPeriodNs: bigint | undefined;
  readonly shards: PolicyShards;
}

const NO_POLICY: Policy = { retentionPeriodNs: undefined, shards: { shardDurationNs: undefined, replicas: undefined } };

async function createTarget({ admin }: Deps, name: string, { retentionPeriodNs, shards }: Policy): Promise<void> {
  await admin.databases.create({ name, retentionPeriodNs });
  await admin.databases.setPolicyShards({ name, shards });
}

function isSamePolicy(found: DatabaseSchema, { retentionPeriodNs, shards }: Policy): boolean {
  const shardNs = ({ shardDurationNs }: PolicyShards): bigint => shardDurationNs ?? usualShardDurationNs(retentionPeriodNs);
  return (
    found.retentionPeriodNs === retentionPeriodNs && shardNs(found) === shardNs(shards) && (found.replicas ?? 1) === (shards.replicas ?? 1)
  );
}

/** What is kept of a statement; undefined where it says nothing or what is usual. */
function shardsOf({ shardDurationNs, replicas }: PolicyOptions, retentionNs: bigint | undefined): PolicyShards {
  return {
    shardDurationNs: shardDurationNs === undefined || shardDurationNs === 0n ? undefined : shardLength(shardDurationNs, retentionNs),
    replicas: replicas === 1 ? undefined : replicas,
  };
}

/** Shards keep their length when the duration of the policy changes, as long as it is not shorter than they are. */
function alteredShards(found: DatabaseSchema, options: PolicyOptions, retentionNs: bigint | undefined): PolicyShards {
  const before = found.shardDurationNs ?? usualShardDurationNs(found.retentionPeriodNs);
  const kept = before === usualShardDurationNs(retentionNs) || (retentionNs !== undefined && before > retentionNs) ? undefined : before;
  const { shardDurationNs, replicas } = shardsOf(options, retentionNs);
  return {
    shardDurationNs: options.shardDurationNs === undefined ? kept : shardDurationNs,
    replicas: options.replicas === undefined ? found.replicas : replicas,
  };
}

/** An hour at least. */
function shardLength(ns: bigint, retentionNs: bigint | undefined): bigint {
  const length = ns < SHARD_MIN_NS ? SHARD_MIN_NS : ns;
  if (retentionNs !== undefined && length > retentionNs) throw refused('retention policy duration must be greater than the shard duration');
  return length;
}

function liveDatabase({ catalog }: Deps, name: string): DatabaseSchema {
  const found = catalog.database(name);
  if (found === undefined || found.deleted) throw refused(`database not found: ${name}`);
  return found;
}

/** A database, or it and its retention policies. */
function changedDatabases(deps: Deps, { database = '', allPolicies }: ChangeTarget): DatabaseSchema[] {
  const found = liveDatabase(deps, database);
  if (!allPolicies) return [found];
  return [...deps.catalog.databases()].filter(({ name, deleted }) => !deleted && (name === database || name.startsWith(`${database}/`)));
}

function refused(message: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_STATEMENT', message, status: 400 });
}
