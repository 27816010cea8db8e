import type { PolicyDatabase } from '../../../catalog/index.ts';
import { InfluxError } from '../../../shared/errors.ts';
import type { IntoClause, ParsedStatement, Qualifier, Statement } from './ast.ts';

/** Retention policies that are the database itself. */
const DEFAULT_POLICIES: ReadonlySet<string> = new Set(['autogen', 'default']);

/**
 * The database that a statement names, by InfluxDB 3 Core's rules for retention policies; `requested` stands for
 * the parts that it leaves out. Undefined when neither names one. Throws when it names several (400).
 */
export function statementDatabase(parsed: ParsedStatement, requested: string | undefined): string | undefined {
  return onlyDatabase(parsed.qualifiers.map((qualifier) => databaseName(qualifier, requested))) ?? requested;
}

/** `db` and `rp` of a request of `/query`. */
export interface V1Database {
  readonly database: string | undefined;
  readonly policy: string | undefined;
}

/** As `statementDatabase`, by the rules of InfluxDB 1: what a statement leaves out is as in the request, else the default of its database. */
export function v1StatementDatabase(parsed: ParsedStatement, requested: V1Database, policyDatabase: PolicyDatabase): string | undefined {
  const { database: named, policy } = requested;
  const database = named === undefined ? undefined : policyDatabase(named, policy);
  // the retention policies of a database are one list
  const of: PolicyDatabase = parsed.statement.kind === 'show-retention-policies' ? (base) => base : policyDatabase;
  const names = parsed.qualifiers.map((qualifier) => {
    // a policy in the statement takes the place of one in the name of the database
    const base = qualifier.database ?? (qualifier.policy === undefined ? named : named?.replace(/\/.*$/s, ''));
    return base === undefined ? undefined : of(base, qualifier.policy ?? policy);
  });
  return onlyDatabase(names) ?? (parsed.statement.kind === 'show-retention-policies' ? named : database);
}

/** True when the statement or the request names a retention policy. */
export function namesPolicy({ qualifiers }: ParsedStatement, requested: V1Database): boolean {
  return requested.policy !== undefined || qualifiers.some(({ policy }) => policy !== undefined);
}

/** Where SELECT INTO writes; undefined when neither the clause nor the request names a database. */
export function intoDatabase(into: IntoClause, requested: V1Database, policyDatabase: PolicyDatabase): string | undefined {
  const base = into.database ?? (into.policy === undefined ? requested.database : requested.database?.replace(/\/.*$/s, ''));
  return base === undefined ? undefined : policyDatabase(base, into.policy ?? requested.policy);
}

function onlyDatabase(all: readonly (string | undefined)[]): string | undefined {
  const names = new Set(all);
  if (names.size > 1) {
    throw new InfluxError({
      code: 'INFLUXQL_DATABASES',
      message: 'error in InfluxQL statement: can only perform queries on a single database',
      status: 400,
    });
  }
  const [name] = names;
  return name;
}

/** False for statements that are about all databases, or refused whatever the database. */
export function needsDatabase(statement: Statement): boolean {
  switch (statement.kind) {
    case 'show-databases':
    case 'show-retention-policies':
    case 'show-queries':
    case 'show-diagnostics':
    case 'show-stats':
    case 'kill-query':
    case 'refused':
    case 'empty-list':
      return false;
    case 'change':
      return !('database' in statement.change) && !statement.change.what.endsWith(' DATABASE');
    default:
      return true;
  }
}

function databaseName({ database, policy }: Qualifier, requested: string | undefined): string | undefined {
  // A policy in the statement takes the place of the one of the request.
  const base = database ?? (policy === undefined ? requested : requested?.replace(/\/.*$/s, ''));
  return base === undefined || policy === undefined || DEFAULT_POLICIES.has(policy) ? base : `${base}/${policy}`;
}
