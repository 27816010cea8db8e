/** A SELECT after the parser's details are gone: bind parameters have values, durations are nanoseconds. */

/** Types of fields as the language names them. */
export type FieldType = 'float' | 'integer' | 'unsigned' | 'string' | 'boolean';

/** What stands behind `::`. */
export type Cast = FieldType | 'field' | 'tag';

export type Literal =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'unsigned'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'duration'; readonly ns: bigint }
  | { readonly kind: 'timestamp'; readonly ns: bigint }
  | { readonly kind: 'regex'; readonly source: string };

export interface RefExpr {
  readonly kind: 'ref';
  readonly name: string;
  readonly cast: Cast | undefined;
}

export interface CallExpr {
  readonly kind: 'call';
  /** Lower case. */
  readonly name: string;
  readonly args: readonly Expr[];
}

export type BinaryOp = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^';
export type CompareOp = '=' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~';

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly op: BinaryOp | CompareOp | 'AND' | 'OR';
  readonly left: Expr;
  readonly right: Expr;
}

/** Values and conditions alike; the parser has checked where conditions may stand. */
export type Expr =
  | RefExpr
  | CallExpr
  | BinaryExpr
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'wildcard'; readonly only: 'tag' | 'field' | undefined };

export interface Field {
  readonly expr: Expr;
  readonly alias: string | undefined;
}

export type Source =
  | { readonly kind: 'measurement'; readonly name: string }
  | { readonly kind: 'regex'; readonly source: string }
  | { readonly kind: 'subquery'; readonly select: Select };

export type Dimension =
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'regex'; readonly source: string }
  | { readonly kind: 'tag'; readonly name: string }
  | { readonly kind: 'time'; readonly intervalNs: bigint; readonly offset: Expr | undefined };

export type Fill =
  | { readonly kind: 'null' | 'none' | 'previous' | 'linear' }
  | { readonly kind: 'number'; readonly value: Extract<Literal, { kind: 'integer' | 'unsigned' | 'float' }> };

export interface Select {
  readonly fields: readonly Field[];
  readonly sources: readonly Source[];
  readonly where: Expr | undefined;
  readonly dimensions: readonly Dimension[];
  readonly fill: Fill | undefined;
  readonly descending: boolean;
  readonly limit: bigint | undefined;
  readonly offset: bigint | undefined;
  /** SLIMIT and SOFFSET; undefined when neither is there. */
  readonly seriesLimit: { readonly limit: bigint | undefined; readonly offset: bigint | undefined } | undefined;
  readonly zone: string | undefined;
}
