import type { ColumnType } from '../../src/shared/column-type.ts';
import type { Random } from '../fuzz/random.ts';
import type { TestRow, TestValue } from '../support/model-table.ts';

export type FieldKind = Exclude<ColumnType, 'tag' | 'time'>;

/** A column of a random table. */
export interface TestColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** Makes a value of a field. */
type MakeValue = (random: Random) => TestValue;

interface TestField extends TestColumn {
  readonly type: FieldKind;
  readonly make: MakeValue;
  /** Probability that a row has it. */
  readonly share: number;
}

/** A random table: its columns and how its rows are made. */
export interface TestTable {
  readonly name: string;
  readonly tags: readonly TestColumn[];
  readonly fields: readonly TestField[];
  /** Combinations of tag values that rows have. */
  readonly series: readonly Readonly<Record<string, string>>[];
  /** Where its times are, ns: start and length of a span. */
  readonly eras: readonly (readonly [bigint, bigint])[];
  /** Times only grow, and no key comes twice. */
  readonly monotone: boolean;
  /** Probability that a row rewrites one that is there; 0 = no key comes twice. */
  readonly rewrites: number;
  /** Probability that a row comes late, at any time of the eras. */
  readonly late: number;
}

/** Columns in any order, `time` included. */
export function columnsOf(table: TestTable): TestColumn[] {
  return [...table.tags, ...table.fields, { name: 'time', type: 'time' }];
}

const TABLE_NAMES = ['cpu', 'CPU', 'Cpu load', 'order', 'quo"te', "it's", 'ünï', 'a.b', 'select', '1st', 'x,y=z', 'weather_station'];
const TAG_NAMES = ['host', 'Host', 'region', 'a b', 'group', 'q"t', "s'q", 'étage', 'k,=v', 'from'];
const FIELD_NAMES = ['f', 'F', 'value', 'usage idle', 'count', 'desc', 'd"q', "f's", 'größe', 'x.y', 'limit', 'case', 'i', 'u', 'n', 'ok'];
const TAG_VALUES = [
  'a',
  'b',
  'A',
  'aa',
  'ä',
  '10',
  '9',
  'x y',
  'c,d',
  'e=f',
  'ß',
  '漢字',
  '😀',
  "o'clock",
  'q"q',
  'NULL',
  'b%',
  '_',
  'back\\slash x',
];
const TEXTS = [
  '',
  ' ',
  'a',
  'A',
  'b',
  'ab',
  'a%',
  '%',
  '_b',
  "it's",
  'say "hi"',
  'ä',
  'z',
  '漢',
  '😀',
  'back\\slash',
  'a,b c=d',
  'NULL',
  'true',
  '10',
];

/** 2024-01-01T00:00:00Z, the era in which most rows are. */
export const START_NS = 1_704_067_200_000_000_000n;
export const HOUR_NS = 3_600_000_000_000n;
/** What the server's clock shows. */
export const NOW_NS = START_NS + 48n * HOUR_NS;

export function randomTable(random: Random, name: string, monotone: boolean): TestTable {
  const tags = names(random, TAG_NAMES, random.below(4)).map((tag): TestColumn => ({ name: tag, type: 'tag' }));
  const fields = names(random, FIELD_NAMES, 1 + random.below(6)).map((field) => randomField(random, field));
  const count = tags.length === 0 ? 1 : 1 + random.below(random.pick([3, 12, 40]));
  const series = Array.from({ length: count }, () => {
    const chosen: Record<string, string> = {};
    for (const tag of tags) if (random.chance(0.85)) chosen[tag.name] = random.pick(TAG_VALUES);
    return chosen;
  });
  const main = [START_NS, BigInt(1 + random.below(8)) * HOUR_NS] as const;
  const others = [
    [-HOUR_NS, 2n * HOUR_NS],
    [-300_000_000_000_000_000n, HOUR_NS],
    [4_102_444_800_000_000_000n, HOUR_NS],
    [START_NS - 9_007_199_254_740_992n, HOUR_NS / 4n],
    [START_NS - 3n * 24n * HOUR_NS, 2n * 24n * HOUR_NS],
  ] as const;
  const eras = monotone ? [main] : [main, ...others.filter(() => random.chance(0.12))];
  const rewrites = monotone ? 0 : random.pick([0, 0, 0, 0.001, 0.05]);
  const late = monotone ? 0 : random.pick([0, 0, 0, 0.01, 0.2]);
  return { name, tags, fields, series, eras, monotone, rewrites, late };
}

export function tableNames(random: Random, count: number): string[] {
  return names(random, TABLE_NAMES, count);
}

/** Different names; those that differ in case only are wanted. */
function names(random: Random, from: readonly string[], count: number): string[] {
  const found = new Set<string>();
  while (found.size < count) found.add(random.pick(from));
  return [...found];
}

function randomField(random: Random, name: string): TestField {
  const type = random.pick(['float', 'float', 'integer', 'integer', 'uinteger', 'string', 'boolean'] as const);
  return { name, type, make: maker(random, type), share: random.pick([1, 1, 0.9, 0.5, 0.1]) };
}

const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;
const EXACT = 2n ** 53n;

function maker(random: Random, type: FieldKind): MakeValue {
  switch (type) {
    case 'boolean':
      return (r) => r.chance(0.5);
    case 'string':
      return (r) => r.pick(TEXTS);
    case 'float':
      return random.pick<MakeValue>([
        (r) => (r.below(2000) - 1000) / 10,
        (r) => r.below(5),
        (r) => r.pick([0, -0, 0.1, 1e15, -1e15, 1e-300, 5e-324, 123456.789, -2.5, 9007199254740992]),
        (r) => (r.chance(0.02) ? r.pick([1e300, -1e300]) : r.next() * 100),
      ]);
    case 'integer':
      return random.pick<MakeValue>([
        (r) => BigInt(r.below(200) - 100),
        (r) => BigInt(r.below(3)),
        (r) => (r.chance(0.02) ? r.pick([EXACT - 1n, EXACT, EXACT + 1n, -EXACT - 1n]) : BigInt(r.below(10))),
        (r) => r.pick([INT_MAX, INT_MAX - 1n, -INT_MAX - 1n, -INT_MAX, EXACT + 1n, 0n, 1n, -1n]),
        (r) => BigInt(r.below(1 << 30)) * BigInt(1 + r.below(1 << 30)),
      ]);
    case 'uinteger':
      return random.pick<MakeValue>([
        (r) => BigInt(r.below(100)),
        (r) => BigInt(r.below(2)),
        (r) => r.pick([UINT_MAX, UINT_MAX - 1n, 2n ** 63n, INT_MAX, EXACT + 1n, 0n, 1n]),
        (r) => BigInt(r.below(1 << 30)) * BigInt(r.below(1 << 22)),
      ]);
  }
}

/** Some new rows; `known` are rows that may be rewritten, `fromNs` is the time after which those that are not late come. */
export function randomRows(random: Random, table: TestTable, count: number, known: readonly TestRow[], fromNs: bigint): TestRow[] {
  const step = random.pick([1n, 1000n, 1_000_000_000n, 10_000_000_000n]);
  let time = fromNs;
  return Array.from({ length: count }, () => {
    time += step * BigInt(1 + random.below(3));
    const fields = randomFields(random, table);
    const rewritten = known.length === 0 || !random.chance(table.rewrites) ? undefined : random.pick(known);
    if (rewritten !== undefined) return { tags: rewritten.tags, timeNs: rewritten.timeNs, fields };
    return { tags: random.pick(table.series), timeNs: random.chance(table.late) ? lateTime(random, table) : time, fields };
  });
}

/** Times of a table without rewritten rows differ, almost surely. */
function lateTime(random: Random, table: TestTable): bigint {
  return randomTime(random, table) + (table.rewrites === 0 ? BigInt(random.below(1_000_000_000)) : 0n);
}

/** On a grid, so that keys and bins meet. */
export function randomTime(random: Random, { eras }: TestTable): bigint {
  const [start, length] = random.chance(0.8) ? (eras[0] as (typeof eras)[number]) : random.pick(eras);
  const grid = random.pick([1_000_000_000n, 1_000_000_000n, 60_000_000_000n, 1n]);
  const steps = length / grid;
  const at = steps > 2n ** 31n ? BigInt(random.below(2 ** 31)) * (steps / 2n ** 31n) : BigInt(random.below(Number(steps)));
  return start + at * grid;
}

function randomFields(random: Random, table: TestTable): Record<string, TestValue> {
  const fields: Record<string, TestValue> = {};
  for (const field of table.fields) if (random.chance(field.share)) fields[field.name] = field.make(random);
  const [first] = table.fields;
  if (Object.keys(fields).length === 0 && first !== undefined) fields[first.name] = first.make(random);
  return fields;
}

/** A row as line protocol, its time in ns. */
export function lineOf(table: TestTable, row: TestRow): string {
  const escaped = (text: string): string => text.replace(/[,= ]/g, '\\$&');
  const tags = Object.entries(row.tags).map(([name, value]) => `,${escaped(name)}=${escaped(value)}`);
  const fields = table.fields.flatMap(({ name, type }) => {
    const value = row.fields[name];
    return value === undefined ? [] : `${escaped(name)}=${valueText(value, type)}`;
  });
  return `${table.name.replace(/[, ]/g, '\\$&')}${tags.join('')} ${fields.join(',')} ${row.timeNs}`;
}

function valueText(value: TestValue, type: FieldKind): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (type === 'integer') return `${value}i`;
  if (type === 'uinteger') return `${value}u`;
  return Object.is(value, -0) ? '-0' : String(value);
}
