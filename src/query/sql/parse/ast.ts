/**
 * The statement as the compiler reads it. `normalize` builds it from the parser's tree and is the gate: only what
 * has a node here can be said at all. Identifiers are already folded (unquoted ASCII letters to lower case).
 */

import type { PackedPlace } from './text-place.ts';

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'AND'
  | 'OR'
  | '||'
  | 'BIT_XOR'
  | '&'
  | '|'
  | '<<'
  | '>>'
  | '~'
  | '~*'
  | '!~'
  | '!~*'
  | 'IS DISTINCT FROM'
  | 'IS NOT DISTINCT FROM';

export type CastTarget =
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float32' | 'float64' | 'string' | 'boolean' | 'date' | 'time' | 'interval' | 'binary' }
  | { readonly kind: 'timestamp'; readonly unit: 's' | 'ms' | 'us' | 'ns'; readonly zone: string | undefined }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  /** `size` = exactly so many items. */
  | { readonly kind: 'list'; readonly item: CastTarget; readonly size: number | undefined }
  | { readonly kind: 'struct'; readonly members: readonly { readonly name: string; readonly type: CastTarget }[] };

export type Expr =
  | ColumnExpr
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'hex'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'binary'; readonly op: BinaryOperator; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'unary'; readonly op: '-' | '+' | 'NOT'; readonly expr: Expr }
  | { readonly kind: 'is'; readonly test: 'NULL' | 'TRUE' | 'FALSE' | 'UNKNOWN'; readonly negated: boolean; readonly expr: Expr }
  | { readonly kind: 'in'; readonly expr: Expr; readonly list: readonly Expr[]; readonly negated: boolean }
  | { readonly kind: 'in-query'; readonly expr: Expr; readonly query: Query; readonly negated: boolean }
  | { readonly kind: 'exists'; readonly query: Query; readonly negated: boolean }
  | { readonly kind: 'between'; readonly expr: Expr; readonly low: Expr; readonly high: Expr; readonly negated: boolean }
  | LikeExpr
  | CaseExpr
  | { readonly kind: 'cast'; readonly expr: Expr; readonly target: CastTarget; readonly attempt: boolean }
  | { readonly kind: 'interval'; readonly value: Expr; readonly unit: string | undefined }
  | CallExpr
  | { readonly kind: 'subquery'; readonly query: Query }
  | { readonly kind: 'subscript'; readonly expr: Expr; readonly index: Expr }
  | {
      readonly kind: 'slice';
      readonly expr: Expr;
      readonly low: Expr | undefined;
      readonly high: Expr | undefined;
      readonly stride: Expr | undefined;
    }
  | { readonly kind: 'field'; readonly expr: Expr; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Expr[] }
  | { readonly kind: 'struct'; readonly members: readonly { readonly name: string; readonly value: Expr }[] }
  | { readonly kind: 'map'; readonly entries: readonly { readonly key: Expr; readonly value: Expr }[] }
  | { readonly kind: 'tuple'; readonly items: readonly Expr[] }
  | { readonly kind: 'at-zone'; readonly expr: Expr; readonly zone: Expr }
  | { readonly kind: 'grouping-sets'; readonly type: 'ROLLUP' | 'CUBE' | 'GROUPING SETS'; readonly sets: readonly (readonly Expr[])[] };

export interface ColumnExpr {
  readonly kind: 'column';
  readonly path: readonly string[];
  readonly quoted: readonly boolean[];
  /** Where its name begins. */
  readonly at?: PackedPlace | undefined;
  /** What the name means where no column has it: a function that is called without brackets, such as `current_date`. */
  readonly call?: CallExpr;
}

export interface LikeExpr {
  readonly kind: 'like';
  readonly operator: 'LIKE' | 'ILIKE' | 'SIMILAR TO';
  /** As written, where it is a symbol such as `~~`. */
  readonly symbol?: string;
  readonly expr: Expr;
  readonly pattern: Expr;
  readonly escape: string | undefined;
  readonly negated: boolean;
}

export interface CaseExpr {
  readonly kind: 'case';
  readonly operand: Expr | undefined;
  readonly branches: readonly { readonly when: Expr; readonly result: Expr }[];
  readonly otherwise: Expr | undefined;
}

export interface CallExpr {
  readonly kind: 'call';
  /** Folded name, without schema. */
  readonly name: string;
  readonly args: readonly Expr[];
  /** `count(*)`. */
  readonly star: boolean;
  readonly distinct: boolean;
  readonly orderBy: readonly OrderItem[];
  readonly filter: Expr | undefined;
  readonly ignoreNulls: boolean | undefined;
  readonly over: WindowSpec | string | undefined;
  /** Where its name begins. */
  readonly at?: PackedPlace | undefined;
}

export interface OrderItem {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface WindowSpec {
  /** A named window that this one extends. */
  readonly base: string | undefined;
  readonly partitionBy: readonly Expr[];
  readonly orderBy: readonly OrderItem[];
  readonly frame: WindowFrame | undefined;
}

export interface WindowFrame {
  readonly units: 'ROWS' | 'RANGE' | 'GROUPS';
  readonly start: FrameBound;
  readonly end: FrameBound | undefined;
}

export type FrameBound =
  | { readonly kind: 'current' }
  /** `offset` undefined = unbounded. */
  | { readonly kind: 'preceding' | 'following'; readonly offset: Expr | undefined };

export type SelectItem =
  /** `shown` = the expression that names the column, where it is another one. */
  | { readonly kind: 'expr'; readonly expr: Expr; readonly alias: string | undefined; readonly shown?: Expr }
  /** `hidden` = columns of the compiler's own. */
  | {
      readonly kind: 'wildcard';
      readonly qualifier: readonly string[] | undefined;
      readonly exclude: readonly string[];
      readonly hidden?: readonly string[];
    };

export interface TableAlias {
  readonly name: string;
  readonly columns: readonly string[];
}

export type TableRef =
  | BaseTableRef
  /** `joined` = all columns of a join, of which several may have one name. */
  | {
      readonly kind: 'derived';
      readonly query: Query;
      readonly lateral: boolean;
      readonly alias: TableAlias | undefined;
      readonly joined?: true;
    }
  | FunctionRef
  | JoinRef;

export interface BaseTableRef {
  readonly kind: 'table';
  readonly parts: readonly string[];
  readonly alias: TableAlias | undefined;
  /** Where its name begins. */
  readonly at?: PackedPlace | undefined;
}

export interface FunctionRef {
  readonly kind: 'function';
  readonly name: string;
  readonly args: readonly Expr[];
  readonly alias: TableAlias | undefined;
  /** Where its name begins. */
  readonly at?: PackedPlace | undefined;
}

export type JoinType = 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS' | 'LEFT SEMI' | 'RIGHT SEMI' | 'LEFT ANTI' | 'RIGHT ANTI';

export interface JoinRef {
  readonly kind: 'join';
  readonly type: JoinType;
  readonly left: TableRef;
  readonly right: TableRef;
  readonly on: Expr | undefined;
  /** `'natural'` = all common columns. */
  readonly using: readonly string[] | 'natural' | undefined;
}

export interface Select {
  readonly kind: 'select';
  readonly distinct: boolean;
  readonly distinctOn: readonly Expr[];
  readonly items: readonly SelectItem[];
  readonly from: TableRef | undefined;
  readonly where: Expr | undefined;
  /** `'all'` = every item that is not an aggregate. */
  readonly groupBy: readonly Expr[] | 'all';
  readonly having: Expr | undefined;
  readonly qualify: Expr | undefined;
  readonly windows: ReadonlyMap<string, WindowSpec>;
}

export interface SetOperation {
  readonly kind: 'set';
  readonly op: 'UNION' | 'INTERSECT' | 'EXCEPT';
  readonly all: boolean;
  readonly byName: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
}

export interface Values {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expr[])[];
}

export type QueryBody = Select | SetOperation | Values | { readonly kind: 'query'; readonly query: Query };

export interface Cte {
  readonly name: string;
  readonly columns: readonly string[];
  readonly query: Query;
}

export interface Query {
  readonly ctes: readonly Cte[];
  readonly recursive: boolean;
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expr | undefined;
  readonly offset: Expr | undefined;
}

export type Statement =
  | { readonly kind: 'query'; readonly query: Query; readonly explain: 'no' | 'plan' | 'analyze' }
  | { readonly kind: 'describe-query'; readonly query: Query }
  | { readonly kind: 'describe-table'; readonly parts: readonly string[] }
  | { readonly kind: 'show-tables' }
  | { readonly kind: 'show-columns'; readonly parts: readonly string[]; readonly full: boolean }
  /** A name of undefined = all of them. */
  | { readonly kind: 'show-settings'; readonly name: string | undefined; readonly verbose: boolean };
