/** Names that a clause can see. Matching is exact: DuckDB's case-insensitive lookup never decides. */
import type { ColumnType } from '../../../shared/column-type.ts';
import type { RelationInfo } from './contract.ts';
import { schemaError } from './errors.ts';
import { didYouMean, nearestName } from './near-names.ts';
import type { SqlType } from './types.ts';

/** One use of a base table while the statement is compiled. */
export interface MutableUse {
  readonly relation: RelationInfo;
  readonly columns: Set<string>;
  minTimeNs: bigint | undefined;
  maxTimeNs: bigint | undefined;
  /** Values that a tag can have in the rows that are needed, by the tag's own name. */
  readonly tagValues: Map<string, readonly string[]>;
}

/** What a column passes on from the table that it stands in, for as long as it is only selected and renamed. */
export interface ColumnOrigin {
  /** The kind of the stored column. */
  readonly stored: ColumnType | undefined;
  /** Never null; an outer join ends it. */
  required: boolean;
}

export interface ScopeColumn {
  readonly name: string;
  /** Table name or alias that qualifies it in messages and output names. */
  readonly qualifier: string | undefined;
  readonly sql: string;
  readonly type: SqlType;
  /** The base table use whose column this is. */
  readonly use: MutableUse | undefined;
  /** Uses whose rows can be cut by bounds on this column. */
  readonly timeUses: readonly MutableUse[];
  readonly origin?: ColumnOrigin | undefined;
  /** The use, and its own name there, of a tag of a user table. */
  readonly tag?: { readonly use: MutableUse; readonly name: string } | undefined;
}

export interface ScopeTable {
  /** Accepted qualifiers: `t`, `iox.t`, `public.iox.t`. Empty for an unnamed derived table. */
  readonly path: readonly string[];
  readonly columns: readonly ScopeColumn[];
}

export interface Scope {
  readonly tables: readonly ScopeTable[];
  /** Columns that USING or NATURAL merged: unqualified names resolve to these, and `*` shows them once. */
  readonly merged: ReadonlyMap<string, ScopeColumn>;
  /** Columns hidden from `*` and from unqualified lookup, because another one stands for them. */
  readonly hidden: ReadonlySet<ScopeColumn>;
  readonly parent: Scope | undefined;
}

/** A scope without tables; names that it does not know are looked up in the parent. */
export function emptyScope(parent: Scope | undefined): Scope {
  return { tables: [], merged: new Map(), hidden: new Set(), parent };
}

/** A column, or a struct member path that starts at a column. */
export interface Resolution {
  readonly column: ScopeColumn;
  readonly fields: readonly string[];
}

/** Finds `path` here or in an enclosing scope; undefined when nothing matches. Throws when it is ambiguous. */
export function lookup(scope: Scope, path: readonly string[]): Resolution | undefined {
  for (let level: Scope | undefined = scope; level; level = level.parent) {
    const found = lookupHere(level, path);
    if (found) return found;
  }
  return undefined;
}

function lookupHere(scope: Scope, path: readonly string[]): Resolution | undefined {
  // the longest qualifier first: schema.table.column, table.column, column, then members of structs
  for (let qualifiers = Math.min(path.length - 1, 3); qualifiers >= 1; qualifiers--) {
    const qualifier = path.slice(0, qualifiers);
    const name = path[qualifiers] as string;
    const found: ScopeColumn[] = [];
    for (const table of scope.tables) {
      if (!qualifies(table.path, qualifier)) continue;
      for (const column of table.columns) if (column.name === name) found.push(column);
    }
    if (found.length > 1) throw schemaError(`Ambiguous reference to qualified field ${quotedPath(path.slice(0, qualifiers + 1))}`);
    if (found[0]) return { column: found[0], fields: path.slice(qualifiers + 1) };
  }
  const name = path[0] as string;
  const column = scope.merged.get(name) ?? unqualified(scope, name);
  if (!column) return undefined;
  const fields = path.slice(1);
  return fields.length > 0 && column.type.kind !== 'struct' && column.type.kind !== 'unknown' ? undefined : { column, fields };
}

function unqualified(scope: Scope, name: string): ScopeColumn | undefined {
  let found: ScopeColumn | undefined;
  for (const table of scope.tables) {
    for (const column of table.columns) {
      if (column.name !== name || scope.hidden.has(column)) continue;
      if (found) throw schemaError(`Ambiguous reference to unqualified field ${quotedName(name)}`);
      found = column;
    }
  }
  return found;
}

function qualifies(path: readonly string[], qualifier: readonly string[]): boolean {
  const offset = path.length - qualifier.length;
  return offset >= 0 && qualifier.every((part, index) => part === path[offset + index]);
}

/** Tables that `t.*` means. */
export function tablesNamed(scope: Scope, qualifier: readonly string[]): readonly ScopeTable[] {
  return scope.tables.filter((table) => table.path.length > 0 && qualifies(table.path, qualifier));
}

/** Columns of `*`, in order. */
export function visibleColumns(scope: Scope): readonly ScopeColumn[] {
  const columns: ScopeColumn[] = [];
  const shown = new Set<ScopeColumn>();
  for (const table of scope.tables) {
    for (const column of table.columns) {
      if (scope.hidden.has(column)) continue;
      const visible = scope.merged.get(column.name) ?? column;
      if (shown.has(visible)) continue;
      shown.add(visible);
      columns.push(visible);
    }
  }
  return columns;
}

/** The name as errors and EXPLAIN show it: with its qualifier if it has one. */
export function columnLabel(column: ScopeColumn): string {
  return column.qualifier === undefined ? column.name : `${column.qualifier}.${column.name}`;
}

/**
 * The error for a name that is not there. `first` are the select list's fields, which ORDER BY and GROUP BY
 * see before the table's. `asText` = the name is quoted where a value could stand: many mean a text.
 */
export function noFieldNamed(scope: Scope, path: readonly string[], first: readonly string[] = [], asText = false): Error {
  const columns = scope.tables.flatMap((table) => table.columns);
  const labels = columns.map((column) => ({
    column,
    text: quotedLabel(column),
  }));
  const sorted = labels.map((label) => label.text).sort(byBytes);
  const wanted = path.join('.').toLowerCase();
  const twin = columns.find((column) => column.name.toLowerCase() === wanted || columnLabel(column).toLowerCase() === wanted);
  const hint = twin
    ? ` Column names are case sensitive. You can use double quotes to refer to the "${twin.name}" column or set the datafusion.sql_parser.enable_ident_normalization configuration.`
    : '';
  const fields = [...first, ...sorted];
  const valid = fields.length > 0 ? ` Valid fields are ${fields.join(', ')}.` : '';
  return schemaError(
    `No field named ${quotedPath(path)}.${hint}${valid}${twin ? '' : nearField(columns, path) || (asText ? meantAsText(path) : '')}`,
  );
}

function meantAsText(path: readonly string[]): string {
  const [name = ''] = path;
  return path.length === 1 && /^[\w .-]+$/.test(name) ? `\nText stands in single quotes: '${name}'` : '';
}

/** A column whose name is like one that is not there, as it is to be written. Names with other than word characters are no typing errors. */
function nearField(columns: readonly ScopeColumn[], path: readonly string[]): string {
  const name = path.at(-1) as string;
  if (!/^\w+$/.test(name)) return '';
  const sameName = path.length > 1 ? columns.find((column) => column.name === name) : undefined;
  if (sameName) return didYouMean(quotedLabel(sameName));
  const near = nearestName(name, new Set(columns.map((column) => column.name)));
  if (near === undefined) return '';
  const qualified = path.length > 1 ? columns.find((column) => column.name === near) : undefined;
  return didYouMean(qualified ? quotedLabel(qualified) : quotedName(near));
}

function quotedLabel(column: ScopeColumn): string {
  return column.qualifier === undefined ? quotedName(column.name) : `${quotedName(column.qualifier)}.${quotedName(column.name)}`;
}

/** A name as messages print it: quoted when it would not survive unquoted. */
export function quotedName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function quotedPath(path: readonly string[]): string {
  return path.map(quotedName).join('.');
}

/** Code point order, which is the order of the UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
