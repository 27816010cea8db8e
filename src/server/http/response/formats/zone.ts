import { zoneOffsets } from '../../../../shared/zone-offset.ts';

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
  return { isUtc: false, offsetSecs: remembered(zoneOffsets(zone)) };
}

/** The rows of a result are close to each other: the last answer holds for most of them. */
function remembered(offsetSecs: (epochSecs: number) => number): ZoneClock['offsetSecs'] {
  let lastBucket = Number.NaN;
  let offset = 0;
  return (epochSecs) => {
    const bucket = Math.floor(epochSecs / BUCKET_SECS);
    if (bucket !== lastBucket) {
      offset = offsetSecs(bucket * BUCKET_SECS);
      lastBucket = bucket;
    }
    return offset;
  };
}
