import { FIELDS, type Question } from './questions.ts';

/**
 * An answer in a form that every server can be held against: the numbers of each row, by the host and the bucket or time
 * (seconds) that name it. Parts that a question does not ask for are left out of the name.
 */
export type Answer = ReadonlyMap<string, readonly number[]>;

/** Collects the rows of one answer. */
export class AnswerRows {
  readonly rows = new Map<string, number[]>();
  readonly #question: Question;

  constructor(question: Question) {
    this.#question = question;
  }

  /**
   * Adds numbers to the row of this host and time. `name` is the column, which gives the place when it is a field's own;
   * otherwise numbers stand in the order in which they come. Anything but a number is ignored: texts are tags, null is no value.
   */
  add(host: string | undefined, timeSecs: number | undefined, name: string, value: unknown): void {
    if (typeof value !== 'number') return;
    const { hasHost, bucketSecs } = this.#question;
    const time = bucketSecs === undefined || timeSecs === undefined ? '' : String(Math.floor(timeSecs / bucketSecs) * bucketSecs);
    const key = `${hasHost ? (host ?? '') : ''} ${time}`;
    const numbers = this.rows.get(key) ?? [];
    this.rows.set(key, numbers);
    const place = FIELDS.indexOf(name);
    numbers[place < 0 ? numbers.length : place] = value;
  }
}

/** Where two answers differ first; undefined = nowhere. Averages differ in their last digits when they are added in another order. */
export function differenceOf(a: Answer, b: Answer): string | undefined {
  if (a.size !== b.size) return `${a.size} and ${b.size} rows`;
  for (const [key, left] of a) {
    const right = b.get(key);
    const same = right?.length === left.length && left.every((value, index) => isClose(value, right[index] ?? Number.NaN));
    if (!same) return `row '${key}': ${JSON.stringify(left)} and ${JSON.stringify(right)}`;
  }
  return undefined;
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));
}
