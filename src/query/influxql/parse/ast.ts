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

/** One statement. Bind parameters are replaced by their values. */
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

/** Where a measurement lies, as it is written: `db.rp.m`, `rp.m`, `m`. */
export interface Qualifier {
  readonly database: string | undefined;
  readonly policy: string | undefined;
}

/** A statement and what it says about databases (2.4); the measurements inside it are bare. */
export interface ParsedStatement {
  readonly statement: Statement;
  /** One for every measurement and every `ON`. */
  readonly qualifiers: readonly Qualifier[];
  /** Its own part of the text that was parsed. */
  readonly text: string;
}
