/** What a SELECT is made of after compilation, and who may look at it. */
import type { OrderItem, Select } from '../parse/ast.ts';
import type { Env } from '../types/env.ts';
import type { DirectPlan, MadeRowsPlan } from '../types/plans.ts';
import type { Typed } from '../types/typed.ts';
import type { Grouping } from './grouping.ts';
import type { RowLimits } from './limits.ts';
import type { QueryPlace } from './query.ts';
import type { ExpandedItem } from './select-items.ts';

/** Parts of a SELECT after compilation. */
export interface CompiledParts {
  readonly select: Select;
  readonly items: readonly ExpandedItem[];
  readonly values: readonly Typed[];
  readonly grouping: Grouping | undefined;
  readonly orderBy: readonly OrderItem[];
  /** Position in the select list of each ORDER BY term, where it has one. */
  readonly orderPositions: readonly (number | undefined)[];
  readonly limits: RowLimits;
}

/** Recognises statements that can be answered without DuckDB (`query/sql/simple`); given by `compileStatement`. */
export interface SimpleStatements {
  /** Plain groups or rows of one table; undefined = ask DuckDB. */
  direct(parts: CompiledParts, env: Env): DirectPlan | undefined;
  /** Rows of a cache; undefined = ask DuckDB. */
  made(parts: CompiledParts, env: Env): MadeRowsPlan | undefined;
  /** The newest or oldest row of each group of tags, by its written form; undefined = ask DuckDB. */
  edge(select: Select, orderBy: readonly OrderItem[], limitsSql: string, place: QueryPlace): DirectPlan | undefined;
}
