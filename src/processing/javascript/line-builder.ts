/** A measurement name that line protocol cannot have. */
export class InvalidMeasurementError extends Error {
  override readonly name = 'InvalidMeasurementError';
}

/** A tag or field key that line protocol cannot have. */
export class InvalidKeyError extends Error {
  override readonly name = 'InvalidKeyError';
}

/** A line without fields. */
export class InvalidLineError extends Error {
  override readonly name = 'InvalidLineError';
}

/** Builds one line of line protocol. Every method but `build` returns the builder. */
export class LineBuilder {
  readonly measurement: string;
  /** Rendered, in the order in which they were set. */
  readonly tags = new Map<string, string>();
  readonly fields = new Map<string, string>();
  #timeNs: string | undefined;

  constructor(measurement: string) {
    if (measurement.includes(' ')) throw new InvalidMeasurementError('Measurement name cannot contain spaces');
    this.measurement = measurement;
  }

  tag(key: string, value: unknown): this {
    checkKey(key, 'tag');
    this.tags.set(key, String(value));
    return this;
  }

  /** A whole number from -2^63 to 2^63 - 1. */
  intField(key: string, value: number | bigint): this {
    checkKey(key, 'field');
    this.fields.set(key, `${whole(key, value)}i`);
    return this;
  }

  /** A whole number from 0 to 2^64 - 1. */
  uintField(key: string, value: number | bigint): this {
    checkKey(key, 'field');
    if (value < 0) throw new RangeError(`uint64 field '${key}' cannot be negative`);
    this.fields.set(key, `${whole(key, value)}u`);
    return this;
  }

  floatField(key: string, value: number): this {
    checkKey(key, 'field');
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`float64 field '${key}' is not a finite number`);
    const text = Number.isInteger(value) ? `${BigInt(value)}.0` : String(value);
    this.fields.set(key, text);
    return this;
  }

  stringField(key: string, value: string): this {
    checkKey(key, 'field');
    if (typeof value !== 'string') throw new TypeError(`string field '${key}' is not a string`);
    this.fields.set(key, `"${value.replace(/[\\"]/g, (char) => `\\${char}`)}"`);
    return this;
  }

  boolField(key: string, value: unknown): this {
    checkKey(key, 'field');
    this.fields.set(key, value ? 't' : 'f');
    return this;
  }

  /** Nanoseconds since the epoch. */
  timeNs(time: number | bigint): this {
    this.#timeNs = String(time);
    return this;
  }

  /** The line. Throws `InvalidLineError` without fields. */
  build(): string {
    let line = this.measurement.replace(/[, ]/g, (char) => `\\${char}`);
    for (const [key, value] of this.tags) line += `,${key}=${value.replace(/[\\,= ]/g, (char) => `\\${char}`)}`;
    if (this.fields.size === 0) throw new InvalidLineError(`At least one field is required: ${line}`);
    const fields = [...this.fields].map(([key, value]) => `${key.replace(/\\/g, '\\\\')}=${value}`);
    line += ` ${fields.join(',')}`;
    return this.#timeNs === undefined ? line : `${line} ${this.#timeNs}`;
  }

  int64_field(key: string, value: number | bigint): this {
    return this.intField(key, value);
  }

  uint64_field(key: string, value: number | bigint): this {
    return this.uintField(key, value);
  }

  float64_field(key: string, value: number): this {
    return this.floatField(key, value);
  }

  string_field(key: string, value: string): this {
    return this.stringField(key, value);
  }

  bool_field(key: string, value: unknown): this {
    return this.boolField(key, value);
  }

  time_ns(time: number | bigint): this {
    return this.timeNs(time);
  }
}

function whole(key: string, value: number | bigint): string {
  if (typeof value === 'bigint') return value.toString();
  if (!Number.isSafeInteger(value)) throw new TypeError(`field '${key}': ${value} is not a whole number that a double holds exactly`);
  return Object.is(value, -0) ? '0' : value.toString();
}

function checkKey(key: string, what: 'tag' | 'field'): void {
  if (key === '') throw new InvalidKeyError(`${what} key cannot be empty`);
  for (const [char, name] of [
    [' ', 'spaces'],
    [',', 'commas'],
    ['=', 'equals signs'],
  ] as const) {
    if (key.includes(char)) throw new InvalidKeyError(`${what} key '${key}' cannot contain ${name}`);
  }
}
