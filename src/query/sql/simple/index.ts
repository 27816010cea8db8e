import type { SimpleStatements } from '../compile/parts.ts';
import { directGroups, directRows, madeRowsPlan } from './direct.ts';
import { directEdge } from './direct-edge.ts';

/** Statements that are answered from columns in memory or from a cache. */
export const simpleStatements: SimpleStatements = {
  direct: (parts, env) => directGroups(parts, env) ?? directRows(parts, env),
  made: madeRowsPlan,
  edge: directEdge,
};
