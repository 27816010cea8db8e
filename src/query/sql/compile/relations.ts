/** Names of tables. */
import type { RelationInfo } from '../types/contract.ts';
import type { StatementState } from '../types/env.ts';
import { planError, tableNotFound } from '../types/errors.ts';
import { didYouMean, nearestName } from '../types/near-names.ts';
import { quotedName } from '../types/scope.ts';

/** The catalog's relation for `table`, `schema.table` or `public.schema.table`; throws InfluxDB 3 Core's error. */
export function resolveRelation(state: StatementState, parts: readonly string[]): RelationInfo {
  if (parts.length > 3)
    throw planError(`Unsupported compound identifier '${parts.join('.')}'. Expected 1, 2 or 3 parts, got ${parts.length}`);
  const [catalog, schema, name] = parts.length === 3 ? parts : parts.length === 2 ? ['public', ...parts] : ['public', 'iox', ...parts];
  const known = schema === 'iox' || schema === 'system' || schema === 'information_schema';
  const relation = catalog === 'public' && known && name !== undefined ? state.relation(schema, name) : undefined;
  if (!relation) throw tableNotFound(parts, catalog === 'public' && schema === 'iox' && name !== undefined ? nearTable(state, name) : '');
  return relation;
}

/** A table whose name is like one that is not there, as it is to be written. */
function nearTable(state: StatementState, name: string): string {
  const near = nearestName(name, state.tableNames());
  return didYouMean(near === undefined ? undefined : quotedName(near));
}
