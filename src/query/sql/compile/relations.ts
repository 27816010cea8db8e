/** Names of tables. */
import type { RelationInfo } from '../types/contract.ts';
import type { StatementState } from '../types/env.ts';
import { planError, tableNotFound } from '../types/errors.ts';

/** The catalog's relation for `table`, `schema.table` or `public.schema.table`; throws InfluxDB 3 Core's error. */
export function resolveRelation(state: StatementState, parts: readonly string[]): RelationInfo {
  if (parts.length > 3)
    throw planError(`Unsupported compound identifier '${parts.join('.')}'. Expected 1, 2 or 3 parts, got ${parts.length}`);
  const [catalog, schema, name] = parts.length === 3 ? parts : parts.length === 2 ? ['public', ...parts] : ['public', 'iox', ...parts];
  const known = schema === 'iox' || schema === 'system' || schema === 'information_schema';
  const relation = catalog === 'public' && known && name !== undefined ? state.relation(schema, name) : undefined;
  if (!relation) throw tableNotFound(parts);
  return relation;
}
