import { InfluxError } from '../../../shared/errors.ts';
import type { ParsedStatement, Qualifier, Statement } from './ast.ts';

/** Retention policies that are the database itself. */
const DEFAULT_POLICIES: ReadonlySet<string> = new Set(['autogen', 'default']);

/**
 * The database that a statement names, by the rules for retention policies; `requested` stands for
 * the parts that it leaves out. Undefined when neither names one. Throws when it names several (400).
 */
export function statementDatabase(parsed: ParsedStatement, requested: string | undefined): string | undefined {
  const names = new Set(parsed.qualifiers.map((qualifier) => databaseName(qualifier, requested)));
  if (names.size > 1) {
    throw new InfluxError({
      code: 'INFLUXQL_DATABASES',
      message: 'error in InfluxQL statement: can only perform queries on a single database',
      status: 400,
    });
  }
  const [name] = names;
  return name ?? requested;
}

/** False for statements that are about all databases, or refused whatever the database. */
export function needsDatabase(statement: Statement): boolean {
  switch (statement.kind) {
    case 'show-databases':
    case 'show-retention-policies':
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
