/** What functions of time take. */
import { DAY_NS, HOUR_NS, MINUTE_NS, MS_NS, SECOND_NS, US_NS, WEEK_NS } from '../../../shared/time-units.ts';
import { planError } from '../types/errors.ts';
import type { Typed } from '../types/typed.ts';
import { arrowTypeText, timestampNs } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { arg, type ScalarCall } from './define.ts';

/** An argument that is a time, or becomes one. */
export function instant(call: ScalarCall, index: number): Typed {
  const value = arg(call, index);
  if (value.type.kind === 'timestamp') return value;
  if (value.type.kind === 'date' || value.type.kind === 'string' || value.type.kind === 'null' || value.type.kind === 'unknown')
    return castTo(value, timestampNs);
  throw planError(`The function '${call.name}' expected a timestamp but received ${arrowTypeText(value.type)}`);
}

/** The zone of a time that has one. */
export function zoneOf(value: Typed): string | undefined {
  return value.type.kind === 'timestamp' ? value.type.zone : undefined;
}

/** Parts of a time that are always as long. */
export const fixedParts: Readonly<Record<string, bigint>> = {
  week: WEEK_NS,
  day: DAY_NS,
  hour: HOUR_NS,
  minute: MINUTE_NS,
  second: SECOND_NS,
  millisecond: MS_NS,
  microsecond: US_NS,
};
