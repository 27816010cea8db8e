import type { BindValue } from '../../result.ts';
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
  | ({ readonly kind: 'show-series' } & ShowClauses)
  | ({
      readonly kind: 'show-cardinality';
      readonly of: CardinalityOf;
      readonly estimated: boolean;
      readonly key: NameFilter | undefined;
    } & Pick<ShowClauses, 'from' | 'where'>)
  | { readonly kind: 'select-into'; readonly select: Select; readonly into: IntoClause }
  | { readonly kind: 'show-queries' }
  | { readonly kind: 'kill-query'; readonly query: bigint }
  /** `of` = the series that are wanted, undefined = all. */
  | { readonly kind: 'show-diagnostics' | 'show-stats'; readonly of: string | undefined }
  | { readonly kind: 'empty-list'; readonly list: EmptyList }
  | { readonly kind: 'change'; readonly change: ChangeStatement }
  /** Understood, never run. */
  | { readonly kind: 'refused'; readonly message: string };

/** What SHOW .. CARDINALITY counts. */
export type CardinalityOf = 'series' | 'measurement' | 'tag key' | 'field key' | 'tag values';

/** A list without rows. */
export interface EmptyList {
  readonly series: string;
  readonly columns: readonly string[];
}

/** What a statement says of a retention policy; undefined = nothing. */
export interface PolicyOptions {
  readonly durationNs: bigint | 'forever' | undefined;
  readonly isDefault: boolean;
  /** At least 1; shown, without effect. */
  readonly replicas: number | undefined;
  /** Same; 0 = the usual one. */
  readonly shardDurationNs: bigint | undefined;
}

/** A statement that changes something; `what` begins it. */
export type ChangeStatement =
  | { readonly what: 'CREATE DATABASE'; readonly name: string; readonly policy: string | undefined; readonly options: PolicyOptions }
  | { readonly what: 'DROP DATABASE' | 'DROP MEASUREMENT'; readonly name: string }
  | {
      readonly what: 'CREATE RETENTION POLICY' | 'ALTER RETENTION POLICY';
      readonly name: string;
      readonly database: string;
      readonly options: PolicyOptions;
    }
  | { readonly what: 'DROP RETENTION POLICY'; readonly name: string; readonly database: string }
  | { readonly what: 'DELETE' | 'DROP SERIES'; readonly from: readonly Source[]; readonly where: Expr | undefined };

/** Where a measurement lies, as it is written: `db.rp.m`, `rp.m`, `m`. */
export interface Qualifier {
  readonly database: string | undefined;
  readonly policy: string | undefined;
}

/** Where SELECT INTO writes: `db.rp.m`, `rp.m`, `m`, or `:MEASUREMENT` as the last part (undefined). */
export interface IntoClause extends Qualifier {
  readonly measurement: string | undefined;
}

/** A statement and what it says about databases (2.4); the measurements inside it are bare. */
export interface ParsedStatement {
  readonly statement: Statement;
  /** One for every measurement and every `ON`. */
  readonly qualifiers: readonly Qualifier[];
  /** Its own part of the text that was parsed. */
  readonly text: string;
}

/** The value of a `$name`; durations come from clients of InfluxDB 1. */
export type InfluxqlParam = BindValue | { readonly kind: 'duration'; readonly ns: bigint };
