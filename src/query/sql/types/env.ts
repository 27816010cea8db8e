/** What an expression is compiled against. */
import { InfluxError } from '../../../shared/errors.ts';
import type { BindValue } from '../../result.ts';
import type { Cte, Expr, Query, WindowSpec } from '../parse/ast.ts';
import type { CacheFunctionName, RelationInfo, ResultDigest, SqlCompileContext } from './contract.ts';
import { physicalNames } from './physical-names.ts';
import type { DirectPlan, MadeRowsPlan } from './plans.ts';
import { quoteIdent } from './quote.ts';
import type { ColumnOrigin, MutableUse, Scope } from './scope.ts';
import type { Typed } from './typed.ts';
import type { SqlType } from './types.ts';

/** Most base table uses of one statement. */
const relationUsesMax = 200;

/** A WITH query that has its own name in the printed statement. */
export interface NamedCte {
  readonly sqlName: string;
  readonly columns: readonly Pick<OutputColumn, 'name' | 'type' | 'sqlName' | 'origin'>[];
}

/** Names of WITH queries, innermost first. */
export interface CteScope {
  readonly name: string;
  /** Compiled once under its own name, or compiled at its only use. */
  readonly target:
    | { readonly kind: 'named'; readonly cte: NamedCte }
    | { readonly kind: 'inline'; readonly cte: Cte; readonly ctes: CteScope | undefined };
  readonly parent: CteScope | undefined;
}

/** One output column of a compiled query. */
export interface OutputColumn {
  readonly name: string;
  /** Table qualifier, when the column passes through from a table. */
  readonly qualifier: string | undefined;
  readonly sqlName: string;
  readonly type: SqlType;
  /** Base table uses that outer bounds on this column may cut. */
  readonly timeUses: readonly MutableUse[];
  readonly origin?: ColumnOrigin | undefined;
  /** Only of columns that go straight into the result. */
  readonly digest?: ResultDigest | undefined;
}

export interface CompiledQuery {
  /** Definitions of WITH, printed as `name AS (...)`. */
  readonly definitions: readonly string[];
  readonly recursive: boolean;
  readonly sql: string;
  readonly columns: readonly OutputColumn[];
  /** The engine has all rows of the result together anyway, or they are few. */
  readonly small?: boolean;
  /** How to answer without DuckDB. */
  readonly direct?: DirectPlan | undefined;
  /** The same for rows of a cache. */
  readonly made?: MadeRowsPlan | undefined;
}

/** What is known about relations from statement to statement; entries go with the relation. */
export type QuotedColumns = WeakMap<RelationInfo, readonly string[]>;

/** State of one statement's compilation. */
export class StatementState {
  readonly nowNs: bigint;
  /** Integer arithmetic must not fail in DuckDB. */
  readonly wrapsIntegers: boolean;
  /** Names of parameters that have no value. */
  readonly openParams: string[] = [];
  /** Length of the statement's text. */
  readonly statementChars: number;
  readonly uses: MutableUse[] = [];
  readonly #context: SqlCompileContext;
  /** Compiles a nested query; given by the query compiler, so that expressions need not know it. */
  readonly compileNested: (query: Query, state: StatementState, outer: Scope, ctes: CteScope | undefined) => CompiledQuery;
  readonly #quoted: QuotedColumns;
  #names = 0;

  constructor(
    context: SqlCompileContext,
    compileNested: StatementState['compileNested'],
    { chars, quoted }: { readonly chars: number; readonly quoted: QuotedColumns },
  ) {
    this.#quoted = quoted;
    this.statementChars = chars;
    this.#context = context;
    this.nowNs = context.nowNs;
    this.wrapsIntegers = context.wrapsIntegers === true;
    this.compileNested = compileNested;
  }

  /** A state whose uses of tables do not count for the statement. */
  detached(): StatementState {
    return new StatementState(this.#context, this.compileNested, { chars: this.statementChars, quoted: this.#quoted });
  }

  /** Engine names of a relation's columns, quoted. */
  quotedColumns(relation: RelationInfo): readonly string[] {
    let quoted = this.#quoted.get(relation);
    if (!quoted) {
      const physical = physicalNames(relation.columns.map((column) => column.name));
      quoted = relation.columns.map((column) => quoteIdent(physical.get(column.name) ?? column.name));
      this.#quoted.set(relation, quoted);
    }
    return quoted;
  }

  param(name: string): BindValue | undefined {
    return this.#context.params.get(name);
  }

  /** What stands for a parameter without a value; undefined when each must have one. */
  openParam(name: string): string | undefined {
    if (this.#context.describesOnly !== true) return undefined;
    if (!this.openParams.includes(name)) this.openParams.push(name);
    return `$p${this.openParams.indexOf(name)}`;
  }

  relation(schema: 'iox' | 'system' | 'information_schema', name: string): RelationInfo | undefined {
    return this.#context.relation(schema, name);
  }

  /** Names of the user tables. */
  tableNames(): Iterable<string> {
    return this.#context.tableNames?.() ?? [];
  }

  /** Undefined when the server has no caches. */
  cacheFunction(name: CacheFunctionName, args: readonly (string | undefined)[]): RelationInfo | undefined {
    return this.#context.cacheFunction?.(name, args);
  }

  /** A name that nothing else in the statement has. */
  freshName(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  addUse(relation: RelationInfo): { use: MutableUse; index: number } {
    if (this.uses.length >= relationUsesMax) {
      throw new InfluxError({
        code: 'SQL_TOO_MANY_TABLES',
        message: `Error during planning: a statement can use at most ${relationUsesMax} tables`,
        status: 400,
      });
    }
    const use: MutableUse = { relation, columns: new Set(), minTimeNs: undefined, maxTimeNs: undefined, tagValues: new Map() };
    this.uses.push(use);
    return { use, index: this.uses.length - 1 };
  }
}

export type Clause = 'SELECT' | 'WHERE' | 'ON' | 'GROUP BY' | 'HAVING' | 'QUALIFY' | 'ORDER BY' | 'VALUES' | 'LIMIT' | 'FROM';

/** Replaces whole sub-expressions, for example by the group key they equal. */
export interface Replacement {
  match(expr: Expr): Typed | undefined;
  /** The failure for a column that nothing replaced. */
  ungrouped(label: string): Error;
}

export interface Env {
  readonly state: StatementState;
  readonly scope: Scope;
  readonly ctes: CteScope | undefined;
  readonly clause: Clause;
  /** Aliases of the select list, where the clause may use them. */
  readonly aliases?: ReadonlyMap<string, Typed>;
  /** Aliases win over columns (ORDER BY). */
  readonly aliasesFirst?: boolean;
  /** Labels of the select list, first in `No field named` messages. */
  readonly fields?: readonly string[];
  readonly windows?: ReadonlyMap<string, WindowSpec>;
  readonly aggregates: boolean;
  readonly replacement?: Replacement;
}
