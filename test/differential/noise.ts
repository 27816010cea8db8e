import type { Random } from '../fuzz/random.ts';
import type { TestRow } from '../support/model-table.ts';
import { type Condition, identifier, oneOfTexts, timeText } from './conditions.ts';
import type { Session } from './session.ts';
import { HOUR_NS, lineOf, randomRows, START_NS, type TestTable } from './tables.ts';

/** Where the rows of other writers are: at times where no row of the model is, or under a tag value that none has. */
type Place = 'past' | 'future' | 'tag';

const PLACES_NS: Readonly<Record<Place, bigint>> = {
  past: START_NS - 30n * 24n * HOUR_NS,
  future: START_NS + 30n * 24n * HOUR_NS,
  tag: START_NS,
};

const NOISE_TAG = 'noise';

/** Rows between two stops: the model has to look at them later. */
const ROWS_MAX = 1000;

/** Writes that may be under way together. */
const WRITERS = 3;

/** Past rows end before: a step is 30 s at most. */
const PAST_END_NS = PLACES_NS.past + 25n * 24n * HOUR_NS;

/** Writes rows that statements leave out, all the time: one write when the last is done, and more in the pauses of scans. */
export class Noise {
  readonly #random: Random;
  readonly #tables: readonly TestTable[];
  readonly #writing = new Set<Promise<void>>();
  #session: Session | undefined;
  #running = false;
  #rows: { readonly table: TestTable; readonly row: TestRow }[] = [];
  #place: Place = 'past';
  #times = 0n;
  #error: unknown;

  constructor(random: Random, tables: readonly TestTable[]) {
    this.#random = random;
    this.#tables = tables;
  }

  use(session: Session): void {
    this.#session = session;
  }

  start(): void {
    this.#place = this.#random.pick(['past', 'past', 'past', 'tag', 'tag', 'tag', 'future']);
    this.#running = true;
    this.#write();
  }

  /** Called in the middle of a scan or a load. */
  meanwhile(): void {
    if (this.#running && this.#random.chance(0.3)) this.#write();
  }

  /** Resolves with the rows written since the start, each with a key of its own. */
  async stop(): Promise<readonly { readonly table: TestTable; readonly row: TestRow }[]> {
    this.#running = false;
    await Promise.all(this.#writing);
    if (this.#error !== undefined) throw this.#error;
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** Leaves the rows of other writers out. */
  without(table: TestTable, random: Random): Condition {
    const place = this.#placeFor(table);
    const [tag] = table.tags;
    if (place === 'tag' && tag !== undefined) {
      const values = [...new Set(table.series.map((series) => series[tag.name]))].filter((value) => value !== undefined);
      const some = values.length > 1 ? values.filter(() => random.chance(0.8)) : values;
      return oneOfTexts(tag, some.length > 0 ? some : ['nobody']);
    }
    const bound = place === 'past' ? PAST_END_NS + BigInt(random.below(2)) : PLACES_NS.future - BigInt(random.below(2));
    return place === 'past'
      ? { sql: `${identifier('time')} > '${timeText(bound)}'`, test: (row) => row.timeNs > bound }
      : { sql: `${identifier('time')} < '${timeText(bound)}'`, test: (row) => row.timeNs < bound };
  }

  #placeFor(table: TestTable): Place {
    return this.#place === 'tag' && table.tags.length === 0 ? 'past' : this.#place;
  }

  /** The rows' series are those of the table, or one that no row of the model has. */
  #tableFor(table: TestTable): TestTable {
    const [tag] = table.tags;
    const ordered = { ...table, rewrites: 0, late: 0 };
    if (this.#placeFor(table) !== 'tag' || tag === undefined) return ordered;
    return { ...ordered, series: table.series.slice(0, 3).map((series) => ({ ...series, [tag.name]: NOISE_TAG })) };
  }

  #write(): void {
    if (this.#writing.size >= WRITERS || this.#rows.length >= ROWS_MAX) return;
    const table = this.#random.pick(this.#tables);
    const start = PLACES_NS[this.#placeFor(table)];
    const rows = randomRows(this.#random, this.#tableFor(table), 1 + this.#random.below(60), [], start + this.#times);
    this.#times = (rows.at(-1) as TestRow).timeNs - start;
    for (const row of rows) this.#rows.push({ table, row });
    const written = this.#session?.write(rows.map((row) => lineOf(table, row))) ?? Promise.resolve();
    const done = written
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .finally(() => {
        this.#writing.delete(done);
        if (this.#running) this.#write();
      });
    this.#writing.add(done);
  }
}
