import type { Access } from '../auth/index.ts';
import type { InfluxqlRequest } from '../query/influxql/contract.ts';
import { unreachable } from '../shared/assert.ts';
import { adminNeeded, databaseDenied } from './permission-errors.ts';

/** Throws PERMISSION_DENIED when the access is not enough for a statement. */
export function checkStatement(access: Access, request: InfluxqlRequest): void {
  const { admin = false, reads, writes } = needsOf(request);
  if (admin && !access.isAdmin) throw adminNeeded();
  if (reads !== undefined && !access.mayRead(reads)) throw databaseDenied('read', reads);
  if (writes !== undefined && !access.mayWrite(writes)) throw databaseDenied('write', writes);
}

interface Needs {
  readonly admin?: boolean;
  readonly reads?: string | undefined;
  readonly writes?: string | undefined;
}

/** By the rules of InfluxDB 1. */
function needsOf({ database, intoDatabase, statement }: InfluxqlRequest): Needs {
  switch (statement.kind) {
    case 'select':
    case 'explain':
    case 'show-measurements':
    case 'show-tag-keys':
    case 'show-field-keys':
    case 'show-tag-values':
    case 'show-series':
    case 'show-cardinality':
    case 'show-retention-policies': // without a database: lists those of the databases that may be read
      return { reads: database };
    case 'select-into':
      return { reads: database, writes: intoDatabase };
    case 'change': {
      const { what } = statement.change;
      return what === 'DELETE' || what === 'DROP SERIES' ? { writes: database } : { admin: true };
    }
    case 'kill-query':
    case 'show-diagnostics':
    case 'show-stats':
      return { admin: true };
    case 'show-databases': // lists those that may be read
    case 'show-queries': // lists those of the databases that may be read
    case 'empty-list':
    case 'refused':
      return {};
    default:
      return unreachable(statement);
  }
}
