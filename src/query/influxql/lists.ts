/** Lists of the server that SHOW statements ask for, in the shape of InfluxDB 3 Core or of InfluxDB 1. */
import { INTERNAL_DATABASE, usualShardDurationNs } from '../../catalog/index.ts';
import { databaseNotFound } from '../../shared/errors.ts';
import { SECOND_NS } from '../../shared/time-units.ts';
import { BOOLEAN, type MadeColumn } from '../results/index.ts';
import { printDuration } from './compile/print-expr.ts';
import type { InfluxqlResult } from './contract.ts';
import { integerColumn, type MadeSeries, madeSeries, madeTable, textColumn } from './made-lists.ts';

/** A database as SHOW statements list it. */
export interface ListedDatabase {
  readonly name: string;
  readonly deleted: boolean;
  readonly retentionPeriodNs: bigint | undefined;
  readonly defaultPolicy: string | undefined;
  readonly shardDurationNs: bigint | undefined;
  readonly replicas: number | undefined;
}

/** A query that runs, as SHOW QUERIES lists it. */
export interface ListedQuery {
  /** What KILL QUERY takes. */
  readonly number: number;
  readonly text: string;
  readonly database: string;
  readonly runningMs: number;
  readonly killed: boolean;
}

/** Live ones first, then by name. */
export function databasesTable(databases: Iterable<ListedDatabase>): InfluxqlResult {
  const all = sortedDatabases(databases);
  return madeTable([
    textColumn(
      'iox::database',
      all.map(({ name }) => name),
    ),
    { name: 'deleted', type: BOOLEAN, values: all.map(({ deleted }) => deleted) },
  ]);
}

/**
 * Live ones by name, as InfluxDB 1 lists them when it does not store its own metrics: `_internal` has no measurement that a
 * client of InfluxDB 1 could read.
 */
export function databaseSeries(databases: Iterable<ListedDatabase>): InfluxqlResult {
  const live = sortedDatabases(databases).filter(({ deleted, name }) => !deleted && name !== INTERNAL_DATABASE);
  return madeSeries([
    {
      name: 'databases',
      columns: [
        textColumn(
          'name',
          live.map(({ name }) => name),
        ),
      ],
    },
  ]);
}

/** By database and name. @param database undefined = those of all databases. Throws DATABASE_NOT_FOUND. */
export function policiesTable(databases: Iterable<ListedDatabase>, database: string | undefined): InfluxqlResult {
  const policies = listedPolicies(
    [...databases].sort((a, b) => (a.name < b.name ? -1 : 1)),
    database,
  );
  return madeTable([
    textColumn(
      'iox::database',
      policies.map(({ database: base }) => base),
    ),
    ...policyColumns(policies),
  ]);
}

/** As InfluxDB 1 lists them, in the order of their creation: names that can be used, and which of them is meant when none is named. */
export function policySeries(databases: Iterable<ListedDatabase>, database: string | undefined): InfluxqlResult {
  const policies = listedPolicies(databases, database).sort((a, b) => Number(b.name === 'autogen') - Number(a.name === 'autogen'));
  const columns: MadeColumn[] = [
    ...policyColumns(policies),
    textColumn(
      'shardGroupDuration',
      policies.map(({ shardNs }) => policyDuration(shardNs)),
    ),
    integerColumn(
      'replicaN',
      policies.map(({ replicas }) => BigInt(replicas)),
    ),
    { name: 'default', type: BOOLEAN, values: policies.map(({ isDefault }) => isDefault) },
  ];
  return madeSeries([{ name: 'retention_policies', columns }]);
}

/** Queries that run, oldest first. */
export function queriesTable(queries: readonly ListedQuery[]): InfluxqlResult {
  const columns: MadeColumn[] = [
    integerColumn(
      'qid',
      queries.map(({ number }) => BigInt(number)),
    ),
    textColumn(
      'query',
      queries.map(({ text }) => text),
    ),
    textColumn(
      'database',
      queries.map(({ database }) => database),
    ),
    textColumn(
      'duration',
      queries.map(({ runningMs }) => roughDuration(runningMs)),
    ),
    textColumn(
      'status',
      queries.map(({ killed }) => (killed ? 'killed' : 'running')),
    ),
  ];
  const list = { series: '', columns: columns.map(({ name }) => name) };
  return { ...madeSeries([{ name: '', columns }]), emptyList: list };
}

/** @param name of the series that are wanted, or how their names begin; undefined = all */
export function namedSeries(all: readonly MadeSeries[], name: string | undefined): InfluxqlResult {
  return madeSeries(name === undefined ? all : all.filter((each) => each.name.startsWith(name)));
}

interface ListedPolicy {
  readonly database: string;
  readonly name: string;
  readonly duration: string;
  readonly shardNs: bigint;
  readonly replicas: number;
  readonly isDefault: boolean;
}

function listedPolicies(databases: Iterable<ListedDatabase>, database: string | undefined): ListedPolicy[] {
  const all = [...databases].filter(({ deleted }) => !deleted);
  const live = all.filter(({ name }) => database === undefined || inDatabase(name, database));
  if (database !== undefined && live.length === 0) throw databaseNotFound(database);
  const named = new Map(all.map((each) => [each.name, each]));
  return live.map(({ name, retentionPeriodNs, shardDurationNs, replicas = 1 }) => {
    const [base, policy] = parts(name);
    const chosen = named.get(base)?.defaultPolicy;
    // a default whose database is gone counts for nothing
    const meant = chosen === undefined || !named.has(`${base}/${chosen}`) ? 'autogen' : chosen;
    return {
      database: base,
      name: policy,
      duration: policyDuration(retentionPeriodNs),
      shardNs: shardDurationNs ?? usualShardDurationNs(retentionPeriodNs),
      replicas,
      isDefault: policy === meant,
    };
  });
}

function policyColumns(policies: readonly ListedPolicy[]): MadeColumn[] {
  return [
    textColumn(
      'name',
      policies.map(({ name }) => name),
    ),
    textColumn(
      'duration',
      policies.map(({ duration }) => duration),
    ),
  ];
}

function parts(name: string): [string, string] {
  const slash = name.indexOf('/');
  return slash < 0 ? [name, 'autogen'] : [name.slice(0, slash), name.slice(slash + 1)];
}

function sortedDatabases(databases: Iterable<ListedDatabase>): ListedDatabase[] {
  return [...databases].sort((a, b) => Number(a.deleted) - Number(b.deleted) || (a.name < b.name ? -1 : 1));
}

/** compat: `720h0m0s`; leading units are left out while they are zero. */
function policyDuration(ns: bigint | undefined): string {
  if (ns === undefined) return '0s';
  return hoursMinutesSeconds(ns / SECOND_NS) ?? printDuration(ns);
}

/** Undefined for no whole second. */
function hoursMinutesSeconds(seconds: bigint): string | undefined {
  const [hours, minutes, rest] = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n];
  if (hours > 0n) return `${hours}h${minutes}m${rest}s`;
  if (minutes > 0n) return `${minutes}m${rest}s`;
  return rest > 0n ? `${rest}s` : undefined;
}

/** In whole seconds, milliseconds or microseconds, whichever is the largest that is not zero. */
export function roughDuration(ms: number): string {
  if (ms >= 1000) return hoursMinutesSeconds(BigInt(Math.floor(ms / 1000))) ?? '0s';
  return ms >= 1 ? `${Math.floor(ms)}ms` : `${Math.floor(ms * 1000)}µs`;
}

/** A policy `rp` of a database `db` is the database `db/rp`. */
function inDatabase(name: string, database: string): boolean {
  return name === database || name.startsWith(`${database}/`);
}
