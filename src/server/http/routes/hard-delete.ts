import type { HardDelete } from '../../../admin/admin-service.ts';
import { InfluxError } from '../../../shared/errors.ts';

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Reads `hard_delete_at`: `now`, `never`, `default`, absent, or an RFC 3339 time. Throws TIMESTAMP_INVALID. */
export function parseHardDelete(text: string | undefined): HardDelete {
  if (text === undefined || text === 'default') return { kind: 'default' };
  if (text === 'now' || text === 'never') return { kind: text };
  return { kind: 'at', timeMs: parseTimeMs(text) };
}

function parseTimeMs(text: string): number {
  if (text.length < 'YYYY-MM-DDTHH:MM:SSZ'.length) throw invalidTime('premature end of input');
  const parts = rfc3339.exec(text);
  if (parts === null) throw invalidTime('input contains invalid characters');
  const [, date = '', time = '', fraction = '', zone = ''] = parts;
  const timeMs = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  if (Number.isNaN(timeMs) || !isRealDate(date)) throw invalidTime('input is out of range');
  return timeMs;
}

/** `Date` reads February 30 as a day of March. */
function isRealDate(date: string): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

function invalidTime(detail: string): InfluxError {
  return new InfluxError({ code: 'TIMESTAMP_INVALID', message: `Cannot parse the timestamp: ${detail}`, status: 400 });
}
