import { Cron } from 'croner';

/** A schedule in UTC. */
export interface CronSchedule {
  /** First match strictly after a time, both epoch ms; undefined = there is none any more. */
  nextAfter(timeMs: number): number | undefined;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Lower-case names from `min` on; several names may mean one number. */
  readonly names?: readonly (readonly string[])[];
  readonly questionMark?: boolean;
}

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];

const FIELDS: readonly Field[] = [
  { name: 'seconds', min: 0, max: 59 },
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'days of month', min: 1, max: 31, questionMark: true },
  { name: 'months', min: 1, max: 12, names: MONTHS.map((month) => [month, month.slice(0, 3)]) },
  {
    name: 'days of week',
    min: 1,
    max: 7,
    questionMark: true,
    names: [
      ['sun', 'sunday'],
      ['mon', 'monday'],
      ['tue', 'tues', 'tuesday'],
      ['wed', 'wednesday'],
      ['thu', 'thurs', 'thursday'],
      ['fri', 'friday'],
      ['sat', 'saturday'],
    ],
  },
  { name: 'years', min: 1970, max: 2100 },
];

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 1',
  '@daily': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};

/** Days of the week by their numbers from 1. */
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/**
 * Reads a cron expression: six or seven fields, `sec min hour day-of-month month day-of-week [year]`, days of the week from
 * 1 = Sunday, both kinds of days must match. Answers what is wrong instead when it is none.
 */
export function parseCron(expression: string): CronSchedule | { readonly problem: string } {
  const text = SHORTHANDS[expression.toLowerCase()] ?? expression;
  const parts = text.trim().split(/\s+/);
  if (parts.length !== 6 && parts.length !== 7) return { problem: 'expected 6 or 7 cron fields, seconds first' };
  const pattern: string[] = [];
  for (const [at, part] of parts.entries()) {
    const field = FIELDS[at] as Field;
    const values = valuesOf(part, field);
    if (typeof values === 'string') return { problem: `invalid ${field.name} '${part}': ${values}` };
    const full = values.size === field.max - field.min + 1;
    pattern.push(full ? '*' : [...values].sort((a, b) => a - b).join(','));
  }
  const cron = new Cron(pattern.join(' '), {
    timezone: 'UTC',
    mode: '6-or-7-parts',
    domAndDow: true,
    alternativeWeekdays: true,
    paused: true,
  });
  return {
    nextAfter: (timeMs) => cron.nextRun(new Date(timeMs))?.getTime(),
  };
}

/** Days that a numeric day of the week means, for a hint to people who count from Sunday = 0; undefined = no numbers there. */
export function numericWeekdays(expression: string): string | undefined {
  const part = expression.trim().split(/\s+/)[5] ?? '';
  if (!/^[\d,\-/]+$/.test(part)) return undefined;
  const values = valuesOf(part, FIELDS[5] as Field);
  if (typeof values === 'string') return undefined;
  return [...values]
    .sort((a, b) => a - b)
    .map((day) => WEEKDAYS[day - 1])
    .join(', ');
}

/** The numbers that a field means, or what is wrong with it. */
function valuesOf(text: string, field: Field): Set<number> | string {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const problem = addItem(item, field, values);
    if (problem !== undefined) return problem;
  }
  return values;
}

function addItem(item: string, field: Field, values: Set<number>): string | undefined {
  const [base = '', stepText, ...more] = item.split('/');
  if (more.length > 0) return 'more than one step';
  const step = stepText === undefined ? 1 : /^\d{1,4}$/.test(stepText) ? Number(stepText) : 0;
  if (step < 1 || step > field.max) return 'a step is a whole number from 1 on';
  const range = rangeOf(base, stepText !== undefined, field);
  if (typeof range === 'string') return range;
  for (let value = range[0]; value <= range[1]; value += step) values.add(value);
  return undefined;
}

function rangeOf(base: string, stepped: boolean, field: Field): readonly [number, number] | string {
  if (base === '*' || (base === '?' && field.questionMark === true)) return [field.min, field.max];
  const [from = '', to, ...more] = base.split('-');
  if (more.length > 0) return 'not a range';
  const first = point(from, field);
  if (first === undefined) return `expected ${field.min} to ${field.max}`;
  if (to === undefined) {
    if (stepped && !/^\d+$/.test(from)) return 'a name has no steps';
    return [first, stepped ? field.max : first];
  }
  const last = point(to, field);
  if (last === undefined) return `expected ${field.min} to ${field.max}`;
  return first <= last ? [first, last] : 'a range begins after its end';
}

function point(text: string, field: Field): number | undefined {
  if (/^\d{1,4}$/.test(text)) {
    const value = Number(text);
    return value >= field.min && value <= field.max ? value : undefined;
  }
  const at = field.names?.findIndex((names) => names.includes(text.toLowerCase())) ?? -1;
  return at < 0 ? undefined : field.min + at;
}
