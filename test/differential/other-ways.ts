import type { Random } from '../fuzz/random.ts';
import type { TestRow } from '../support/model-table.ts';
import { AGGREGATES, averageOf, binStart, edgeOf, valuesOf } from './aggregates.ts';
import { type Condition, cellOf, identifier, isNumber, textLiteral } from './conditions.ts';
import type { ExpectedCell } from './expectation.ts';
import type { Statement } from './statements.ts';
import { columnsOf, NOW_NS, randomTime, type TestColumn, type TestTable } from './tables.ts';
import { byBytes, type Cell, cellText } from './values.ts';

/** The tag by which the caches of a table are kept; undefined = its newest rows are not those that came last, or it has no tag. */
export function cacheKey(table: TestTable): TestColumn | undefined {
  return table.rewrites === 0 && table.late === 0 ? table.tags[0] : undefined;
}

/** A statement about the newest row of each value of the key, or about the values themselves, answered from a cache. */
export function cacheStatement(random: Random, table: TestTable, key: TestColumn): Statement {
  const name = textLiteral(table.name);
  if (random.chance(0.3)) {
    return {
      language: 'sql',
      text: `SELECT ${identifier(key.name)} FROM distinct_cache(${name}, 'distinct')`,
      expected: (rows) => ({ rows: [...new Map(rows.map((row) => [cellText(cellOf(row, key)), [cellOf(row, key)]])).values()], order: [] }),
    };
  }
  const columns = [key, ...columnsOf(table).filter((column) => column !== key && random.chance(0.7))];
  return {
    language: 'sql',
    text: `SELECT ${columns.map((column) => identifier(column.name)).join(', ')} FROM last_cache(${name}, 'last')`,
    expected: (rows) => {
      const newest = new Map<string, TestRow>();
      for (const row of rows) {
        const value = cellOf(row, key);
        const known = newest.get(cellText(value));
        // A row without the key is in no cache.
        if (value !== null && (known === undefined || row.timeNs > known.timeNs)) newest.set(cellText(value), row);
      }
      return { rows: [...newest.values()].map((row) => columns.map((column) => cellOf(row, column))), order: [] };
    },
  };
}

const UNITS = { s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n } as const;

/** An InfluxQL aggregate of one field by tags and bins of time. Undefined when the table has no field. */
export function influxqlStatement(random: Random, table: TestTable): Statement | undefined {
  if (table.fields.length === 0) return undefined;
  const field = random.pick(table.fields);
  // Tags come by their names, in whatever order they are asked for.
  const keys = table.tags.filter(() => random.chance(0.4)).sort((a, b) => byBytes(a.name, b.name));
  const unit = random.pick(['s', 'm', 'm', 'h'] as const);
  const count = random.pick([1, 5, 7, 30]);
  const width = random.chance(0.6) ? BigInt(count) * UNITS[unit] : undefined;
  // Without bins, min and max are rows of their own with the time of that row.
  const names = isNumber(field.type) ? (width === undefined ? ['count', 'mean'] : ['count', 'mean', 'min', 'max']) : ['count'];
  const name = random.pick(names);
  const bounds = random.chance(0.5) ? timeBounds(random, table) : undefined;
  // Bins end now where the statement does not say when.
  const isLater = (row: TestRow): boolean => width !== undefined && bounds === undefined && row.timeNs > NOW_NS;
  const tag = table.tags.length > 0 && random.chance(0.3) ? tagIs(random, table) : undefined;
  const conditions = [bounds, tag].filter((condition) => condition !== undefined);
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  const groups = [...[...keys].reverse().map((key) => quoted(key.name)), ...(width === undefined ? [] : [`time(${count}${unit})`])];
  const groupBy = groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}${width === undefined ? '' : ' fill(none)'}`;
  return {
    language: 'influxql',
    text: `SELECT ${name}(${quoted(field.name)}) AS a FROM ${quoted(table.name)}${where}${groupBy}`,
    expected: (rows) => {
      const groupsOf = new Map<string, { readonly cells: readonly Cell[]; readonly rows: TestRow[] }>();
      for (const row of rows) {
        if (cellOf(row, field) === null || isLater(row) || conditions.some(({ test }) => test(row) !== true)) continue;
        const time = width === undefined ? (bounds?.fromNs ?? 0n) : binStart(row.timeNs, width, 0n);
        const cells = [table.name, time, ...keys.map((key) => cellOf(row, key))];
        const known = groupsOf.get(cells.map(cellText).join());
        if (known === undefined) groupsOf.set(cells.map(cellText).join(), { cells, rows: [row] });
        else known.rows.push(row);
      }
      return { rows: [...groupsOf.values()].map((group) => [...group.cells, aggregate(name, group.rows, field)]), order: [] };
    },
  };
}

function aggregate(name: string, rows: readonly TestRow[], field: TestColumn): ExpectedCell {
  const values = valuesOf(rows, field);
  if (name === 'mean') return averageOf(values);
  return name === 'min' || name === 'max' ? edgeOf(values, name) : AGGREGATES.count('a', field).of(rows);
}

function timeBounds(random: Random, table: TestTable): Condition & { readonly fromNs: bigint } {
  const [a, b] = [randomTime(random, table), randomTime(random, table)];
  const [fromNs, untilNs] = a < b ? [a, b] : [b, a];
  return {
    fromNs,
    sql: `time >= ${fromNs} AND time <= ${untilNs}`,
    test: (row) => row.timeNs >= fromNs && row.timeNs <= untilNs,
  };
}

function tagIs(random: Random, table: TestTable): Condition {
  const tag = random.pick(table.tags);
  const value = random.pick(table.series)[tag.name] ?? 'nobody';
  return { sql: `${quoted(tag.name)} = '${value.replace(/['\\]/g, '\\$&')}'`, test: (row) => row.tags[tag.name] === value };
}

/** A name in InfluxQL. */
function quoted(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}
