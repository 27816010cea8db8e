import type { Random } from '../fuzz/random.ts';
import type { TestRow } from '../support/model-table.ts';
import { and, anyCondition, type Condition, cellOf, identifier } from './conditions.ts';
import { matching, type Statement, whereText } from './statements.ts';
import { columnsOf, type TestColumn, type TestTable } from './tables.ts';
import { type Cell, cellText } from './values.ts';

/** A statement that puts several questions about a table together. `always` holds for the rows that are meant and for no others. */
export function combinedStatement(random: Random, table: TestTable, always: Condition | undefined): Statement {
  const some = (): Condition => and(bracketed(anyCondition(random, table)), always) as Condition;
  const parts: Parts = { random, table, from: identifier(table.name), first: some(), second: some() };
  const [tag] = table.tags;
  if (tag === undefined || random.chance(0.25)) return random.chance(0.6) ? setOperation(parts) : chosen(parts);
  return random.pick([having, inSubquery, joined, counted])(parts, random.pick(table.tags));
}

interface Parts {
  readonly random: Random;
  readonly table: TestTable;
  readonly from: string;
  readonly first: Condition;
  readonly second: Condition;
}

function bracketed({ sql, test }: Condition): Condition {
  return { sql: `(${sql})`, test };
}

const keyOf = (cells: readonly Cell[]): string => cells.map(cellText).join();

function setOperation({ random, table, from, first, second }: Parts): Statement {
  const columns = columnsOf(table).filter(() => random.chance(0.4));
  if (columns.length === 0) columns.push({ name: 'time', type: 'time' });
  const list = columns.map(({ name }) => identifier(name)).join(', ');
  const operation = random.pick(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT']);
  return {
    language: 'sql',
    text: `SELECT ${list} FROM ${from}${whereText(first)} ${operation} SELECT ${list} FROM ${from}${whereText(second)}`,
    expected: (rows) => {
      const cellsOf = (where: Condition): Cell[][] => matching(rows, where).map((row) => columns.map((column) => cellOf(row, column)));
      const [left, right] = [cellsOf(first), cellsOf(second)];
      if (operation === 'UNION ALL') return { rows: [...left, ...right], order: [] };
      const found = new Set(right.map(keyOf));
      const kept =
        operation === 'UNION' ? [...left, ...right] : left.filter((cells) => found.has(keyOf(cells)) === (operation === 'INTERSECT'));
      return { rows: [...new Map(kept.map((cells) => [keyOf(cells), cells])).values()], order: [] };
    },
  };
}

function chosen({ from, first, second, random, table }: Parts): Statement {
  const column = random.pick<TestColumn>(columnsOf(table));
  return {
    language: 'sql',
    text: `SELECT CASE WHEN ${second.sql} THEN 'yes' WHEN ${identifier(column.name)} IS NULL THEN 'nothing' ELSE 'no' END AS c, time FROM ${from}${whereText(first)}`,
    expected: (rows) => ({
      rows: matching(rows, first).map((row) => [
        second.test(row) === true ? 'yes' : cellOf(row, column) === null ? 'nothing' : 'no',
        row.timeNs,
      ]),
      order: [],
    }),
  };
}

function counts(rows: readonly TestRow[], tag: TestColumn): Map<string, readonly [Cell, bigint]> {
  const found = new Map<string, readonly [Cell, bigint]>();
  for (const row of rows) {
    const cell = cellOf(row, tag);
    found.set(cellText(cell), [cell, (found.get(cellText(cell))?.[1] ?? 0n) + 1n]);
  }
  return found;
}

function having({ random, from, first }: Parts, tag: TestColumn): Statement {
  const least = BigInt(random.pick([1, 2, 10, 100]));
  const key = identifier(tag.name);
  return {
    language: 'sql',
    text: `SELECT ${key} AS k, count(*) AS n FROM ${from}${whereText(first)} GROUP BY ${key} HAVING count(*) >= ${least}`,
    expected: (rows) => ({ rows: [...counts(matching(rows, first), tag).values()].filter(([, n]) => n >= least), order: [] }),
  };
}

function inSubquery({ random, from, first, second }: Parts, tag: TestColumn): Statement {
  const key = identifier(tag.name);
  const negated = random.chance(0.4);
  return {
    language: 'sql',
    text: `SELECT time, ${key} FROM ${from}${whereText(first)} AND ${key} ${negated ? 'NOT ' : ''}IN (SELECT ${key} FROM ${from}${whereText(second)})`,
    expected: (rows) => {
      const values = matching(rows, second).map((row) => cellOf(row, tag));
      const known = new Set(values);
      const isIn = (cell: Cell): boolean | null => {
        if (values.length === 0) return false;
        if (cell !== null && known.has(cell)) return true;
        return cell === null || known.has(null) ? null : false;
      };
      const kept = matching(rows, first).filter((row) => isIn(cellOf(row, tag)) === !negated);
      return { rows: kept.map((row) => [row.timeNs, cellOf(row, tag)]), order: [] };
    },
  };
}

function joined({ random, from, first, second }: Parts, tag: TestColumn): Statement {
  const key = identifier(tag.name);
  const outer = random.chance(0.5);
  const counted = `SELECT ${key} AS k, count(*) AS n FROM ${from}${whereText(second)} GROUP BY ${key}`;
  return {
    language: 'sql',
    text: `SELECT a.time, a.${key}, b.n FROM (SELECT * FROM ${from}${whereText(first)}) AS a ${outer ? 'LEFT ' : ''}JOIN (${counted}) AS b ON a.${key} = b.k`,
    expected: (rows) => {
      const found = counts(matching(rows, second), tag);
      const made = matching(rows, first).map((row): Cell[] => {
        const cell = cellOf(row, tag);
        return [row.timeNs, cell, cell === null ? null : (found.get(cellText(cell))?.[1] ?? null)];
      });
      return { rows: outer ? made : made.filter(([, , n]) => n !== null), order: [] };
    },
  };
}

/** A window over all rows of a tag's value. */
function counted({ from, first }: Parts, tag: TestColumn): Statement {
  const key = identifier(tag.name);
  return {
    language: 'sql',
    text: `SELECT time, count(*) OVER (PARTITION BY ${key}) AS n FROM ${from}${whereText(first)}`,
    expected: (rows) => {
      const all = matching(rows, first);
      const found = counts(all, tag);
      return { rows: all.map((row) => [row.timeNs, found.get(cellText(cellOf(row, tag)))?.[1] ?? 0n]), order: [] };
    },
  };
}
