/** What one statement collects while it is compiled. */
import { InfluxError } from '../../../shared/errors.ts';
import type { RelationInfo, RelationUse } from '../../sql/index.ts';

/** Most base table uses of one statement. */
const measurementUsesMax = 500;

/** The catalog and the clock as the compiler sees them. */
export interface InfluxqlCompileContext {
  readonly nowNs: bigint;
  /** Names of the live tables of the database, in any order. */
  measurements(): readonly string[];
  measurement(name: string): RelationInfo | undefined;
}

interface MutableUse extends RelationUse {
  readonly columns: Set<string>;
}

/** Inclusive bounds on time, ns. */
export interface TimeRange {
  readonly low: bigint | undefined;
  readonly high: bigint | undefined;
}

/** What the compilation of one statement shares: the tables it uses, and names of which none comes twice. */
export class CompileState {
  readonly context: InfluxqlCompileContext;
  /** True = as InfluxDB 1 answers where InfluxDB 3 Core has another answer. */
  readonly asV1: boolean;
  readonly uses: MutableUse[] = [];
  #names = 0;

  constructor(context: InfluxqlCompileContext, asV1: boolean) {
    this.context = context;
    this.asV1 = asV1;
  }

  get nowNs(): bigint {
    return this.context.nowNs;
  }

  /** A name that nothing else in the statement has. */
  freshName(prefix: string): string {
    return `${prefix}_${this.#names++}`;
  }

  /** A use of a table; `marker` stands for its rows until the statement is printed. */
  addUse(relation: RelationInfo, range: TimeRange): { readonly columns: Set<string>; readonly marker: string } {
    if (this.uses.length >= measurementUsesMax) {
      throw new InfluxError({
        code: 'INFLUXQL_PLAN',
        message: `Error during planning: a statement can use at most ${measurementUsesMax} measurements`,
        status: 400,
      });
    }
    const columns = new Set<string>(['time']);
    this.uses.push({ relation, columns, minTimeNs: range.low, maxTimeNs: range.high });
    return { columns, marker: `\0${this.uses.length - 1}\0` };
  }
}

/** Puts the sources in place. A NUL is nowhere else in printed SQL: quoting takes it out of names and texts. */
export function fillMarkers(sql: string, source: (useIndex: number) => string): string {
  return sql
    .split('\0')
    .map((part, index) => (index % 2 === 0 ? part : source(Number(part))))
    .join('');
}

/** Both ranges at once. */
export function intersect(a: TimeRange, b: TimeRange): TimeRange {
  const low = a.low === undefined ? b.low : b.low === undefined || a.low > b.low ? a.low : b.low;
  const high = a.high === undefined ? b.high : b.high === undefined || a.high < b.high ? a.high : b.high;
  return { low, high };
}
