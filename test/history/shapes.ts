/** Types of fields, as line protocol has them. */
export type FieldKind = 'integer' | 'float' | 'uinteger' | 'boolean' | 'string';

/** What the tags of a block's rows look like. */
export interface Shape {
  /** `few`: rows share `seriesCount` series; `own`: each row has a series of its own; `odd`: names that need escapes. */
  readonly series: 'few' | 'own' | 'odd';
  readonly seriesCount: number;
  /** Makes the names of `own` series different from those of other blocks. */
  readonly unique: string;
  /** Name of a further tag, undefined = none. */
  readonly extraTag: string | undefined;
}
