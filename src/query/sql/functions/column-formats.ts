/** Text read as a time by a chrono format that is not constant: `strptime` of DuckDB wants a constant, so patterns are made of the format. */

/** Specifiers that stand for several others, or for another one. */
const SHORTHANDS: readonly (readonly [string, string])[] = [
  ['%T', '%H:%M:%S'],
  ['%F', '%Y-%m-%d'],
  ['%R', '%H:%M'],
  ['%D', '%m/%d/%y'],
  ['%#z', '%z'],
  ['%:z', '%z'],
  ['%h', '%b'],
];

/** A part of a time: how its specifiers look in a format in which everything has been escaped, and what each matches. */
const PARTS: Readonly<Record<string, readonly (readonly [specifier: string, pattern: string])[]>> = {
  year: [['Y', '[0-9]{4}']],
  century: [['y', '[0-9]{2}']],
  month: [['m', '[0-9]{1,2}']],
  name: [
    ['B', '[A-Za-z]{3,9}'],
    ['b', '[A-Za-z]{3}'],
  ],
  day: [
    ['d', '[0-9]{1,2}'],
    ['e', ' ?[0-9]{1,2}'],
  ],
  hour: [['H', '[0-9]{1,2}']],
  minute: [['M', '[0-9]{1,2}']],
  second: [['S', '[0-9]{1,2}']],
  fraction: [
    ['\\.9f', '\\.[0-9]{9}'],
    ['\\.6f', '\\.[0-9]{6}'],
    ['\\.3f', '\\.[0-9]{3}'],
    ['\\.f', '(?:\\.[0-9]+)?'],
  ],
  zone: [['z', '(?:[zZ]|[+-][0-9]{2}:?[0-9]{2})']],
};

const MONTHS = "['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec']";

/**
 * Body of a macro: the text `s` as a TIMESTAMP_NS by the format `f`, NULL where it is none. `epoch` and `iso` are SQL of the same for
 * the formats `%s` and `%+`, of a text `s`.
 */
export function parseMacroBody(epoch: string, iso: string): string {
  const expanded = SHORTHANDS.reduce((sql, [short, long]) => `replace(${sql}, '${short}', '${long}')`, 'f');
  const part = (name: string): string => `regexp_extract(z.s, '^' || ${patternOf(name)} || '$', 1)`;
  const two = (sql: string, missing: string): string => `lpad(coalesce(nullif(trim(${sql}), ''), '${missing}'), 2, '0')`;
  const year = `case when z.y <> '' then z.y when z.c < '70' then '20' || z.c else '19' || z.c end`;
  const month = `case when z.n <> '' then lpad(coalesce(list_position(${MONTHS}, lower(z.n[:3])), 0)::varchar, 2, '0') else ${two('z.m', '')} end`;
  const text = `${year} || '-' || ${month} || '-' || ${two('z.d', '')} || ' ' || ${two('z.h', '0')} || ':' || ${two('z.mi', '0')} || ':' || ${two('z.se', '0')} || z.f || z.o`;
  const parts = `{'y': ${part('year')}, 'c': ${part('century')}, 'n': ${part('name')}, 'm': ${part('month')}, 'd': ${part('day')}, 'h': ${part('hour')}, 'mi': ${part('minute')}, 'se': ${part('second')}, 'f': ${part('fraction')}, 'o': ${part('zone')}}`;
  const found = `list_transform([${parts}], lambda z: try_cast(${text} as timestamp_ns))[1]`;
  const unknown = `error('Execution error: The format string is invalid or not supported: ' || z.w)::timestamp_ns`;
  const chosen = `case when z.w = '%s' then ${epoch} when z.w = '%+' then ${iso} when contains(${patternOf('')}, '%') then ${unknown} else ${found} end`;
  return `list_transform([{'s': s, 'w': f, 'e': regexp_escape(${expanded})}], lambda z: case when z.s is not null and z.w is not null then ${chosen} end)[1]`;
}

/** SQL of the pattern of the format `z.e` in which one part is a group. */
function patternOf(group: string): string {
  let sql = 'z.e';
  for (const [name, specifiers] of Object.entries(PARTS)) {
    for (const [specifier, pattern] of specifiers) {
      sql = `replace(${sql}, '\\%${specifier}', '${name === group ? `(${pattern})` : pattern}')`;
    }
  }
  return sql;
}
