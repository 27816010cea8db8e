import type { Expr, Select, Source } from '../compile/ir.ts';

/** `FROM` of SHOW statements, and the rest that they share. */
interface ShowClauses {
  readonly from: readonly Source[];
  readonly where: Expr | undefined;
  readonly limit: bigint | undefined;
  readonly offset: bigint | undefined;
}

/** What `WITH KEY` and `WITH MEASUREMENT` choose. */
export type NameFilter =
  | { readonly op: '=' | '!='; readonly name: string }
  | { readonly op: '=~' | '!~'; readonly source: string }
  | { readonly op: 'in'; readonly names: readonly string[] };

/** One statement (InfluxQL spec 2.2). Bind parameters are replaced by their values. */
export type Statement =
  | { readonly kind: 'select'; readonly select: Select }
  | { readonly kind: 'explain'; readonly analyze: boolean; readonly verbose: boolean; readonly select: Select }
  | { readonly kind: 'show-databases' }
  | { readonly kind: 'show-retention-policies' }
  | ({ readonly kind: 'show-measurements'; readonly filter: NameFilter | undefined } & Omit<ShowClauses, 'from'>)
  | ({ readonly kind: 'show-tag-keys' } & ShowClauses)
  | ({ readonly kind: 'show-field-keys' } & Omit<ShowClauses, 'where'>)
  | ({ readonly kind: 'show-tag-values'; readonly key: NameFilter } & ShowClauses)
  /** Understood, never run: `what` is the name in the refusal. */
  | { readonly kind: 'unsupported'; readonly what: 'CREATE DATABASE' | 'DELETE' | 'DROP MEASUREMENT' };

/** A statement and the database that it names itself (2.4), in a qualified measurement or behind `ON`. */
export interface ParsedStatement {
  readonly statement: Statement;
  readonly database: string | undefined;
  /** Where it stands in the text that was parsed. */
  readonly text: string;
}
