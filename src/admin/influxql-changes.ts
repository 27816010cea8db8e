import type { Catalog, DatabaseSchema } from '../catalog/index.ts';
import { type ChangeStatement, deleteCondition, type InfluxqlChanges, type PolicyOptions, type Source } from '../query/influxql/index.ts';
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

/** Policies that are the database itself. */
const OWN_POLICIES: ReadonlySet<string> = new Set(['autogen', 'default']);

/**
 * Carries out InfluxQL statements that change something, in the way of InfluxDB 1: what is there already is created
 * without a word, and what is not there is dropped so. A retention policy `rp` of `db` is the database `db/rp`.
 */
export function influxqlChanges(deps: InfluxqlChangeDependencies): InfluxqlChanges {
  return {
    async run(change, database) {
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
          return dropMeasurement(deps, liveDatabase(deps, database ?? ''), change.name);
        case 'DELETE':
        case 'DROP SERIES':
          return deleteRows(deps, liveDatabase(deps, database ?? ''), change);
      }
    },
  };
}

type Deps = InfluxqlChangeDependencies;
type Change<What extends ChangeStatement['what']> = Extract<ChangeStatement, { what: What }>;
type PolicyChange = Change<'CREATE RETENTION POLICY' | 'ALTER RETENTION POLICY'>;

async function createDatabase(deps: Deps, { name, policy, options }: Change<'CREATE DATABASE'>): Promise<void> {
  const own = policy === undefined || OWN_POLICIES.has(policy.toLowerCase());
  if (!own) throw notDefault(policy);
  const found = deps.catalog.database(name);
  if (found === undefined) {
    await deps.admin.databases.create({ name, retentionPeriodNs: retentionOf(options) });
    return;
  }
  if (options.durationNs !== undefined && found.retentionPeriodNs !== retentionOf(options)) {
    throw refused('retention policy conflicts with an existing policy');
  }
}

async function dropDatabases(deps: Deps, dropped: (name: string) => boolean): Promise<void> {
  const names = [...deps.catalog.databases()].filter((each) => !each.deleted && dropped(each.name)).map(({ name }) => name);
  for (const name of names) await deps.admin.databases.delete({ name, hardDelete: { kind: 'default' } });
}

async function createPolicy(deps: Deps, { name, database, options }: PolicyChange): Promise<void> {
  const base = liveDatabase(deps, database);
  const target = policyDatabase(database, name);
  if (options.isDefault && target !== database) throw notDefault(name);
  const found = target === database ? base : deps.catalog.database(target);
  if (found === undefined) await deps.admin.databases.create({ name: target, retentionPeriodNs: retentionOf(options) });
  else if (found.retentionPeriodNs !== retentionOf(options)) throw refused('retention policy already exists');
}

async function alterPolicy(deps: Deps, { name, database, options }: PolicyChange): Promise<void> {
  liveDatabase(deps, database);
  const target = policyDatabase(database, name);
  if (deps.catalog.database(target) === undefined) throw refused(`retention policy not found: ${name}`);
  if (options.isDefault && target !== database) throw notDefault(name);
  if (options.durationNs === undefined) return;
  await deps.admin.databases.setRetention({ name: target, retentionPeriodNs: retentionOf(options) });
}

async function dropPolicy(deps: Deps, { name, database }: Change<'DROP RETENTION POLICY'>): Promise<void> {
  const target = policyDatabase(database, name);
  if (target === database) throw refused(`the retention policy '${name}' is the database '${database}' itself: use DROP DATABASE`);
  await dropDatabases(deps, (each) => each === target);
}

async function dropMeasurement(deps: Deps, database: DatabaseSchema, table: string): Promise<void> {
  if (database.tables.get(table)?.deleted !== false) return;
  await deps.admin.tables.delete({ database: database.name, table, hardDelete: { kind: 'default' } });
}

async function deleteRows(deps: Deps, database: DatabaseSchema, { what, from, where }: Change<'DELETE' | 'DROP SERIES'>): Promise<void> {
  const { range, tags } = deleteCondition(where, deps.nowNs());
  const timed = range.low !== undefined || range.high !== undefined;
  if (timed && what === 'DROP SERIES') throw refused("DROP SERIES doesn't support time in WHERE clause");
  const live = [...database.tables.values()].filter(({ deleted }) => !deleted);
  const tables = from.length === 0 ? live : live.filter(({ name }) => from.some((source) => names(source, name)));
  const field = tags.find(([key]) => tables.some(({ columnByName }) => (columnByName.get(key)?.type ?? 'tag') !== 'tag'));
  if (field !== undefined) throw refused('fields not supported in WHERE clause during deletion');
  const startNs = range.low ?? TIME_NS_MIN;
  const stopNs = range.high ?? TIME_NS_MAX;
  for (const { name } of tables) await deps.deletes.deleteRows(database.name, { startNs, stopNs, table: name, tags });
}

function names(source: Source, table: string): boolean {
  if (source.kind === 'subquery') return false;
  return source.kind === 'measurement' ? source.name === table : new RegExp(source.source, 'u').test(table);
}

function policyDatabase(database: string, policy: string): string {
  const name = policy.toLowerCase();
  return OWN_POLICIES.has(name) ? database : `${database}/${name}`;
}

function retentionOf({ durationNs }: PolicyOptions): bigint | undefined {
  if (durationNs === undefined || durationNs === 'forever') return undefined;
  if (durationNs < DURATION_MIN_NS) throw refused('retention policy duration must be at least 1h0m0s');
  return durationNs;
}

function liveDatabase({ catalog }: Deps, name: string): DatabaseSchema {
  const found = catalog.database(name);
  if (found === undefined || found.deleted) throw refused(`database not found: ${name}`);
  return found;
}

function notDefault(policy: string | undefined): InfluxError {
  return refused(
    `the retention policy '${policy}' cannot be the default: what names no policy goes to autogen, the database itself; ` +
      'leave DEFAULT out and name the policy, or set the duration of autogen',
  );
}

function refused(message: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_STATEMENT', message, status: 400 });
}
