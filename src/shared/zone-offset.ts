/** Offset of a time zone of the tz database from UTC, by instant. Throws `RangeError` for a name that does not exist. */
export function zoneOffsets(zone: string): (epochSecs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (epochSecs) => {
    const parts = new Map(format.formatToParts(epochSecs * 1000).map((part) => [part.type, Number(part.value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return local / 1000 - epochSecs;
  };
}
