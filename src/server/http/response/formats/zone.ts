/** Offset of a time zone from UTC, by instant. */
export interface ZoneClock {
  readonly isUtc: boolean;
  offsetSecs(epochSecs: number): number;
}

/** Rules change at quarter hours at the finest. */
const BUCKET_SECS = 900;

/** Clock of `UTC`, a fixed offset (`+01:00`) or an IANA name. Throws `RangeError` for a name that does not exist. */
export function zoneClock(zone: string): ZoneClock {
  if (zone === 'UTC' || zone === 'Z' || zone === '+00:00') return { isUtc: true, offsetSecs: () => 0 };
  const fixed = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (fixed !== null) {
    const offset = (Number(fixed[2]) * 60 + Number(fixed[3])) * 60 * (fixed[1] === '-' ? -1 : 1);
    return { isUtc: false, offsetSecs: () => offset };
  }
  return new NamedZone(zone);
}

class NamedZone implements ZoneClock {
  readonly isUtc = false;
  readonly #format: Intl.DateTimeFormat;
  #bucket = Number.NaN;
  #offset = 0;

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  offsetSecs(epochSecs: number): number {
    const bucket = Math.floor(epochSecs / BUCKET_SECS);
    if (bucket !== this.#bucket) {
      this.#offset = this.#read(bucket * BUCKET_SECS);
      this.#bucket = bucket;
    }
    return this.#offset;
  }

  #read(epochSecs: number): number {
    const parts = new Map(this.#format.formatToParts(epochSecs * 1000).map((part) => [part.type, Number(part.value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return local / 1000 - epochSecs;
  }
}
