/**
 * Human durations of options, request bodies and messages: `1h 30m`, `4 hours`, `100ms`.
 * Values are whole nanoseconds.
 */

import { DAY_NS, HOUR_NS, MINUTE_NS, MS_NS, SECOND_NS, US_NS, WEEK_NS } from './time-units.ts';

/** Why a text is no duration; the message is the exact reason that clients see. */
export class DurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DurationError';
  }
}

/** 30.44 days. */
const monthNs = 2_630_016n * SECOND_NS;
/** 365.25 days. */
const yearNs = 31_557_600n * SECOND_NS;
const numberMax = 2n ** 64n - 1n;

const unitsNs: ReadonlyMap<string, bigint> = new Map([
  ...names(1n, 'ns nsec nanos'),
  ...names(US_NS, 'us usec µs'),
  ...names(MS_NS, 'ms msec millis'),
  ...names(SECOND_NS, 's sec secs second seconds'),
  ...names(MINUTE_NS, 'm min mins minute minutes'),
  ...names(HOUR_NS, 'h hr hrs hour hours'),
  ...names(DAY_NS, 'd day days'),
  ...names(WEEK_NS, 'w wk wks week weeks'),
  ...names(monthNs, 'M month months'),
  ...names(yearNs, 'y yr yrs year years'),
]);

/** Parses a human duration to nanoseconds. Throws `DurationError`. A bare `0` is allowed, other bare numbers are not. */
export function parseDurationNs(text: string): bigint {
  if (text === '0') return 0n;
  return new DurationParser(text).parse();
}

/** Renders nanoseconds, largest unit first: `1month 29days 13h 26m 24s`, `0s` for zero. */
export function formatDurationNs(ns: bigint): string {
  if (ns === 0n) return '0s';
  const parts: string[] = [];
  let rest = ns;
  for (const [unitNs, name, plural] of outputUnits) {
    const count = rest / unitNs;
    rest %= unitNs;
    if (count > 0n) parts.push(`${count}${name}${plural && count > 1n ? 's' : ''}`);
  }
  return parts.join(' ');
}

const outputUnits: readonly (readonly [bigint, string, boolean])[] = [
  [yearNs, 'year', true],
  [monthNs, 'month', true],
  [DAY_NS, 'day', true],
  [HOUR_NS, 'h', false],
  [MINUTE_NS, 'm', false],
  [SECOND_NS, 's', false],
  [MS_NS, 'ms', false],
  [US_NS, 'us', false],
  [1n, 'ns', false],
];

/** Walks the text once. Positions in messages are bytes of the UTF-8 form. */
class DurationParser {
  readonly #chars: readonly string[];
  #next = 0;
  #byteOffset = 0;
  #totalNs = 0n;

  constructor(text: string) {
    this.#chars = [...text];
  }

  parse(): bigint {
    let value = this.#firstDigit();
    if (value === undefined) throw new DurationError('value was empty');
    while (value !== undefined) {
      const first = this.#restOfNumber(value);
      value = this.#unit(first.value, first.unitStart);
    }
    return this.#totalNs;
  }

  #firstDigit(): bigint | undefined {
    for (let offset = this.#byteOffset, char = this.#take(); char !== undefined; offset = this.#byteOffset, char = this.#take()) {
      if (isDigit(char)) return BigInt(char);
      if (!isSpace(char)) throw new DurationError(`expected number at ${offset}`);
    }
    return undefined;
  }

  #restOfNumber(start: bigint): { value: bigint; unitStart: string } {
    let value = start;
    for (let offset = this.#byteOffset, char = this.#take(); char !== undefined; offset = this.#byteOffset, char = this.#take()) {
      if (isDigit(char)) {
        value = value * 10n + BigInt(char);
        if (value > numberMax) throw new DurationError('number is too large');
      } else if (isUnitChar(char)) {
        return { value, unitStart: char };
      } else if (!isSpace(char)) {
        throw new DurationError(`invalid character at ${offset}`);
      }
    }
    return { value, unitStart: '' };
  }

  /** Reads the unit, adds the part, and answers with the first digit of the next number if there is one. */
  #unit(value: bigint, start: string): bigint | undefined {
    let unit = start;
    for (let offset = this.#byteOffset, char = this.#take(); char !== undefined; offset = this.#byteOffset, char = this.#take()) {
      if (isDigit(char)) {
        this.#add(value, unit);
        return BigInt(char);
      }
      if (isSpace(char)) break;
      if (!isUnitChar(char)) throw new DurationError(`invalid character at ${offset}`);
      unit += char;
    }
    this.#add(value, unit);
    return this.#firstDigit();
  }

  #add(value: bigint, unit: string): void {
    if (unit === '') throw new DurationError(`time unit needed, for example ${value}sec or ${value}ms`);
    const unitNs = unitsNs.get(unit);
    if (unitNs === undefined) throw new DurationError(unknownUnit(unit));
    this.#totalNs += value * unitNs;
    if (this.#totalNs / SECOND_NS > numberMax) throw new DurationError('number is too large');
  }

  #take(): string | undefined {
    const char = this.#chars[this.#next];
    if (char === undefined) return undefined;
    this.#next += 1;
    this.#byteOffset += Buffer.byteLength(char);
    return char;
  }
}

function unknownUnit(unit: string): string {
  return `unknown time unit "${unit}", supported units: ns, us/µs, ms, sec, min, hours, days, weeks, months, years (and few variations)`;
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

function isSpace(char: string): boolean {
  return /\s/u.test(char);
}

function isUnitChar(char: string): boolean {
  return /[A-Za-zµ]/u.test(char);
}

function names(ns: bigint, list: string): [string, bigint][] {
  return list.split(' ').map((name) => [name, ns]);
}
