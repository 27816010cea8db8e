/** Whole statements: what runs, and what its columns are. */

import { nestedSql } from './compile/expr.ts';
import { sourceName } from './compile/from.ts';
import { compileQuery } from './compile/query.ts';
import { resolveRelation } from './compile/relations.ts';
import { eachBaseTable } from './compile/walk.ts';
import { checkComplexity } from './complexity.ts';
import type { Expr, Query, Statement } from './parse/ast.ts';
import { placed } from './parse/text-place.ts';
import { SETTINGS } from './settings.ts';
import { simpleStatements } from './simple/index.ts';
import type { CompiledSql, RelationInfo, RelationUse, SqlCompileContext } from './types/contract.ts';
import { type CompiledQuery, type QuotedColumns, StatementState } from './types/env.ts';
import { planError } from './types/errors.ts';
import { quoteString } from './types/quote.ts';
import { byBytes } from './types/scope.ts';
import { arrowTypeText, relationColumnType, resultType } from './types/types.ts';

/** `chars` is the length of the statement's text; `quoted` lives as long as the compiler. */
export function compileStatement(
  statement: Statement,
  context: SqlCompileContext,
  known: { readonly chars: number; readonly quoted: QuotedColumns },
): CompiledSql {
  const state = new StatementState(
    context,
    (query, inner, outer, ctes) => compileQuery(query, { state: inner, outer, ctes, top: false }),
    known,
  );
  switch (statement.kind) {
    case 'query': {
      const compiled = compileTop(statement.query, state);
      if (statement.explain === 'no') return compiled;
      return { ...compiled, output: textColumns(['plan_type', 'plan']), explain: statement.explain };
    }
    case 'describe-query':
      return describeQuery(statement.query, state);
    case 'describe-table':
      return describeTable(resolveRelation(state, statement.parts));
    case 'show-tables':
      return compileTop(simpleQuery('tables', ['table_catalog', 'table_schema', 'table_name', 'table_type']), state);
    case 'show-columns':
      return showColumns(resolveRelation(state, statement.parts), statement.full, state);
    case 'show-settings':
      return showSettings(statement, state);
  }
}

function compileTop(query: Query, state: StatementState): CompiledSql {
  // compat: missing tables are reported before anything else
  eachBaseTable(query, ({ parts, at }) => placed(at, () => resolveRelation(state, parts)));
  const compiled = compileQuery(query, { state, outer: undefined, ctes: undefined, top: true, direct: true, simple: simpleStatements });
  checkComplexity(nestedSql(compiled), state.statementChars);
  return { ...finished(compiled, state), unordered: isUnordered(query) };
}

/** A plain SELECT without ORDER BY; what is inside other forms is not looked for. */
function isUnordered({ body, orderBy }: Query): boolean {
  return orderBy.length === 0 && body.kind === 'select' && body.from?.kind === 'table';
}

function finished(query: CompiledQuery, state: StatementState): CompiledSql {
  const uses: readonly RelationUse[] = state.uses;
  const output = query.columns.map(({ name, type, digest, origin }) => ({
    name,
    type: resultType(type),
    digest,
    ...(origin?.stored === undefined ? {} : { stored: origin.stored }),
    ...(origin?.required === true ? { required: true } : {}),
  }));
  return {
    uses,
    output,
    explain: 'no',
    small: query.small === true,
    direct: query.direct,
    made: uses.length === 1 ? query.made : undefined,
    openParams: state.openParams,
    print(source) {
      // sources come first under fixed names; DuckDB inlines them, so filters still reach the scans
      const sources = uses.map((_, index) => `${sourceName(index)} AS NOT MATERIALIZED ${source(index)}`);
      return nestedSql({ ...query, definitions: [...sources, ...query.definitions] });
    },
  };
}

function textColumns(names: readonly string[]): CompiledSql['output'] {
  return names.map((name) => ({ name, type: undefined }));
}

/** A fixed table of texts. */
function fixedRows(names: readonly string[], rows: readonly (readonly string[])[]): CompiledSql {
  const columns = names.join(', ');
  const tuples = rows.map((row) => `(${row.map(quoteString).join(', ')})`).join(', ');
  const empty = `SELECT ${names.map((name) => `CAST('' AS VARCHAR) AS ${name}`).join(', ')} WHERE false`;
  const sql = rows.length === 0 ? empty : `SELECT * FROM (VALUES ${tuples}) AS t(${columns})`;
  return { uses: [], output: textColumns(names), explain: 'no', print: () => sql };
}

const describeNames = ['column_name', 'data_type', 'is_nullable'];

function describeTable(relation: RelationInfo): CompiledSql {
  return fixedRows(describeNames, relation.columns.map(describedColumn));
}

function describedColumn(column: RelationInfo['columns'][number]): readonly string[] {
  const required = column.required ?? (column.type === 'time' && column.name === 'time');
  return [column.name, column.arrowType ?? arrowTypeText(relationColumnType(column.type)), required ? 'NO' : 'YES'];
}

function describeQuery(query: Query, state: StatementState): CompiledSql {
  eachBaseTable(query, ({ parts, at }) => placed(at, () => resolveRelation(state, parts)));
  const compiled = compileQuery(query, { state, outer: undefined, ctes: undefined, top: true, direct: true, simple: simpleStatements });
  return fixedRows(
    describeNames,
    compiled.columns.map((column) => [column.name, arrowTypeText(column.type), 'YES']),
  );
}

function showColumns(relation: RelationInfo, full: boolean, state: StatementState): CompiledSql {
  if (full) {
    const table = equals('table_name', relation.name);
    const where: Expr = { kind: 'binary', op: 'AND', left: equals('table_schema', relation.schema), right: table };
    return compileTop(simpleQuery('columns', undefined, where), state);
  }
  const names = ['table_catalog', 'table_schema', 'table_name', 'column_name', 'data_type', 'is_nullable'];
  const columns = relation.schema === 'iox' ? [...relation.columns].sort((a, b) => byBytes(a.name, b.name)) : relation.columns;
  return fixedRows(
    names,
    columns.map((column) => ['public', relation.schema, relation.name, ...describedColumn(column)]),
  );
}

function showSettings({ name, verbose }: Extract<Statement, { kind: 'show-settings' }>, state: StatementState): CompiledSql {
  const columns = verbose ? ['name', 'value', 'description'] : ['name', 'value'];
  if (name !== undefined && !SETTINGS.some(([known]) => known === name)) {
    throw planError(`'${name}' is not a variable which can be viewed with 'SHOW'`);
  }
  const query = simpleQuery('df_settings', columns, name === undefined ? undefined : equals('name', name));
  const byName = { expr: { kind: 'column', path: ['name'], quoted: [true] }, descending: false, nullsFirst: false } as const;
  return compileTop({ ...query, orderBy: [byName] }, state);
}

/** `SELECT names FROM information_schema.<table> [WHERE ..]`. */
function simpleQuery(table: string, names: readonly string[] | undefined, where?: Expr): Query {
  return {
    ctes: [],
    recursive: false,
    body: {
      kind: 'select',
      distinct: false,
      distinctOn: [],
      items: names
        ? names.map((name) => ({ kind: 'expr', expr: { kind: 'column', path: [name], quoted: [true] }, alias: undefined }))
        : [{ kind: 'wildcard', qualifier: undefined, exclude: [] }],
      from: { kind: 'table', parts: ['information_schema', table], alias: undefined },
      where,
      groupBy: [],
      having: undefined,
      qualify: undefined,
      windows: new Map(),
    },
    orderBy: [],
    limit: undefined,
    offset: undefined,
  };
}

function equals(column: string, text: string): Expr {
  return { kind: 'binary', op: '=', left: { kind: 'column', path: [column], quoted: [true] }, right: { kind: 'string', value: text } };
}
