import type { SchemaAddition, SchemaTransaction, StagedTable } from '../../catalog/schema.ts';
import type { ColumnType } from '../../shared/column-type.ts';
import { InfluxError } from '../../shared/errors.ts';
import * as text from './errors.ts';
import type { Line } from './line-syntax.ts';
import { PRECISION_NAMES, timestampToNs } from './timestamp.ts';
import type { Precision } from './types.ts';

type NewColumn = SchemaAddition['newColumns'][number];

/** A line that fits the schema. */
export interface FittingLine {
  /** Its timestamp in ns; undefined when the line has none. */
  readonly timeNs: bigint | undefined;
  /** The line needed additions, which are staged now. */
  readonly staged: boolean;
}

/**
 * Checks a whole line against the schema and stages what it adds, in one step at the end: a refused line leaves no
 * trace. Returns the message for the client when it does not fit.
 */
export function fitLine(line: Line, transaction: SchemaTransaction, precision: Precision): FittingLine | string {
  const table = transaction.table(line.measurement);
  if (table?.deleted === true) return text.deletedTable(line.measurement);
  const additions = new Map<string, NewColumn>();
  const error = checkTags(line, table, additions) ?? checkFields(line, table, additions);
  if (error !== undefined) return error;
  const timeNs = line.timestamp === undefined ? undefined : timestampToNs(line.timestamp, precision);
  if (timeNs === undefined && line.timestamp !== undefined) return text.timestampOutOfRange(line.timestamp, PRECISION_NAMES[precision]);
  if (table?.column('time') === undefined) additions.set('time', { name: 'time', type: 'time' });
  if (additions.size === 0) return { timeNs, staged: false };
  try {
    transaction.stage({ tableName: line.measurement, newColumns: [...additions.values()] });
  } catch (cause) {
    if (cause instanceof InfluxError) return cause.message;
    throw cause;
  }
  return { timeNs, staged: true };
}

function checkTags(line: Line, table: StagedTable | undefined, additions: Map<string, NewColumn>): string | undefined {
  const seen = new Set<string>();
  for (const { key } of line.tags) {
    const error = checkColumn(key, 'tag', table, additions);
    if (error !== undefined) return error;
    if (seen.size === seen.add(key).size) return text.repeatedColumn(key, 'tag');
  }
  return undefined;
}

function checkFields(line: Line, table: StagedTable | undefined, additions: Map<string, NewColumn>): string | undefined {
  const seen = new Set<string>();
  for (const { key, type } of line.fields) {
    const error = checkColumn(key, type, table, additions);
    if (error !== undefined) return error;
    if (seen.size === seen.add(key).size) return text.repeatedColumn(key, 'field');
  }
  return undefined;
}

function checkColumn(
  name: string,
  type: ColumnType,
  table: StagedTable | undefined,
  additions: Map<string, NewColumn>,
): string | undefined {
  const existing = table?.column(name) ?? additions.get(name)?.type;
  if (existing !== undefined) return existing === type ? undefined : text.columnTypeConflict(name, existing, type);
  if (name === 'time' || name === '__chunk_order') return text.reservedColumn(name);
  additions.set(name, { name, type });
  return undefined;
}
