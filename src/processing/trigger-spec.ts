import type { TriggerSpec } from '../catalog/index.ts';
import { DurationError, parseDurationNs } from '../shared/duration.ts';
import { parseCron } from './cron.ts';
import { invalidTriggerSpec } from './errors.ts';

/** Kind of a trigger as `--restrict-plugin-triggers-to` names it. */
export type TriggerKind = 'wal' | 'schedule' | 'request';

const FORMS =
  "expect one of the following forms: 'table:<TABLE_NAME>', 'all_tables', 'cron:<CRON_EXPRESSION>', 'every:<DURATION>', or 'request:<PATH>'";
const YEAR_NS = 31_557_600n * 1_000_000_000n;
const SECOND_NS = 1_000_000_000n;
/** Shorter periods would keep the server busy with nothing but firing. */
const PERIOD_NS_MIN = 1_000_000n;

/** Reads a specification text. Throws TRIGGER_SPECIFICATION. */
export function parseTriggerSpec(text: string): TriggerSpec {
  const spec = text.trim();
  if (spec === 'all_tables') return { kind: 'all_tables' };
  const [, prefix, rest = ''] = /^(table|cron|every|request):(.*)$/s.exec(spec) ?? [];
  const inner = rest.trim();
  switch (prefix) {
    case 'table':
      if (inner === '') throw invalidTriggerSpec(spec, 'table name is empty');
      return { kind: 'table', table: inner };
    case 'cron': {
      const cron = parseCron(inner);
      if ('problem' in cron) throw invalidTriggerSpec(spec, cron.problem);
      return { kind: 'schedule', cron: inner };
    }
    case 'every': {
      const ns = periodNs(spec, inner);
      return { kind: 'every', secs: Number(ns / SECOND_NS), nanos: Number(ns % SECOND_NS) };
    }
    case 'request':
      if (inner === '') throw invalidTriggerSpec(spec, undefined);
      return { kind: 'request', path: inner };
    default:
      throw invalidTriggerSpec(spec, FORMS);
  }
}

/** Which of the three functions of a plugin a trigger calls: `process_writes`, `process_scheduled_call` or `process_request`. */
export function triggerKind(spec: TriggerSpec): TriggerKind {
  switch (spec.kind) {
    case 'table':
    case 'all_tables':
      return 'wal';
    case 'schedule':
    case 'every':
      return 'schedule';
    case 'request':
      return 'request';
  }
}

function periodNs(spec: string, text: string): bigint {
  let ns: bigint;
  try {
    ns = durationNs(text);
  } catch (error) {
    if (error instanceof DurationError) throw invalidTriggerSpec(spec, "couldn't parse to duration");
    throw error;
  }
  if (ns > YEAR_NS) throw invalidTriggerSpec(spec, "don't support every schedules of over 1 year");
  if (ns < PERIOD_NS_MIN) throw invalidTriggerSpec(spec, "couldn't parse to duration");
  return ns;
}

/** A human duration in which numbers may have decimals, as long as they come to whole nanoseconds. */
function durationNs(text: string): bigint {
  if (!text.includes('.')) return parseDurationNs(text);
  const parts = [...text.matchAll(/\s*(\d+)(?:\.(\d{1,18}))?\s*([A-Za-zµ]+)/gy)];
  if (parts.map(([part]) => part).join('').length !== text.trimEnd().length) throw new DurationError('invalid character');
  return parts.reduce((sum, [, whole = '', decimals = '', unit = '']) => {
    const scaled = parseDurationNs(`1${unit}`) * BigInt(whole + decimals);
    const divisor = 10n ** BigInt(decimals.length);
    if (scaled % divisor !== 0n) throw new DurationError('not a whole number of nanoseconds');
    return sum + scaled / divisor;
  }, 0n);
}
