import { readCsv, TimeReader } from './answers.ts';
import { condition } from './ask-rows.ts';
import { blocksOf, Fault, isDeterminate, type Scope } from './check.ts';
import { ask, compared, type Question } from './question.ts';
import { type Block, stampOf } from './tables.ts';
import { type Cell, cellNumber, writerName } from './values.ts';
import type { World } from './world.ts';

/** Aggregates of the rows of a block after so many operations. */
interface Aggregates {
  readonly rows: number;
  readonly integers: number;
  readonly sum: bigint;
  readonly min: number;
  readonly max: number;
  readonly floats: number;
  readonly minFloat: number;
  readonly maxFloat: number;
}

const AGGREGATES =
  'count(*) AS n, count(i0) AS i, sum(i0) AS total, min(i0) AS least, max(i0) AS most, count(f0) AS f, min(f0) AS leastf, max(f0) AS mostf';
const FLOAT_FIELD = 1;

/** Asks for aggregates by minute and writer, which are those of one block each. `end` keeps the columns in memory out of it. */
export async function readGroups(world: World, url: string, scope: Scope, end: string): Promise<void> {
  const q = `SELECT date_bin(INTERVAL '1 minute', time) AS m, w, ${AGGREGATES} FROM "${scope.table.name}"${condition(scope)} GROUP BY m, w${end}`;
  const question: Question = { table: scope.table, language: 'sql', q, format: 'csv' };
  const told = await ask(world, url, question);
  if (told === undefined) return;
  await compared(question, () => {
    const { rows } = readCsv(told.body.toString());
    const found = new Map<string, readonly Cell[]>();
    const times = new TimeReader();
    for (const row of rows) {
      const key = `${row[1]} ${times.read(row[0]).slot}`;
      if (found.has(key)) throw new Fault('doubled', `group ${key} comes twice`);
      found.set(key, row.slice(2));
    }
    for (const block of blocksOf(scope)) {
      const { least, most } = block.states(told.asked.askedAt, told.asked.answeredAt);
      const key = `${writerName(block.writer)} ${block.slot}`;
      const row = found.get(key);
      found.delete(key);
      if (isDeterminate(block, told.asked)) checkGroup(block, row, least, most);
    }
    for (const key of found.keys()) throw new Fault('invented', `a group that nobody wrote: ${key}`);
    world.counts.rowsVerified += rows.reduce((sum, row) => sum + Number(row[2]), 0);
  });
}

function checkGroup(block: Block, row: readonly Cell[] | undefined, least: number, most: number): void {
  let expected = '';
  for (let state = least; state <= most; state++) {
    const aggregates = aggregatesOf(block, state);
    if (fits(aggregates, row)) return;
    if (expected === '') expected = Object.values(aggregates).join(' ');
  }
  const kind = Number(row?.[0] ?? 0) === aggregatesOf(block, least).rows ? 'changed' : 'lost';
  throw new Fault(kind, `a group is ${row?.join(' ') ?? 'not there'}, not ${expected} (states ${least} to ${most})`, block);
}

function fits({ rows, integers, sum, min, max, floats, minFloat, maxFloat }: Aggregates, row: readonly Cell[] | undefined): boolean {
  if (row === undefined) return rows === 0;
  if (Number(row[0]) !== rows || Number(row[1]) !== integers || Number(row[5]) !== floats) return false;
  if (integers > 0 && (BigInt(row[2] as string) !== sum || Number(row[3]) !== min || Number(row[4]) !== max)) return false;
  return floats === 0 || (Number(row[6]) === minFloat && Number(row[7]) === maxFloat);
}

function aggregatesOf(block: Block, state: number): Aggregates {
  let rows = 0;
  let integers = 0;
  let floats = 0;
  let sum = 0n;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let minFloat = min;
  let maxFloat = max;
  for (let row = 0; row < block.rows; row++) {
    if (block.hasRow(state, row)) rows++;
    const integer = block.writtenBy(state, row, 0);
    if (integer !== undefined) {
      const value = cellNumber(stampOf(integer, row), 0);
      integers++;
      sum += BigInt(value);
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    const float = block.writtenBy(state, row, FLOAT_FIELD);
    if (float !== undefined) {
      const value = cellNumber(stampOf(float, row), FLOAT_FIELD) / 7;
      floats++;
      minFloat = Math.min(minFloat, value);
      maxFloat = Math.max(maxFloat, value);
    }
  }
  return { rows, integers, sum, min, max, floats, minFloat, maxFloat };
}

/** Counts all rows of a table: never fewer than were acknowledged, never more than were sent. */
export async function readTotals(world: World, url: string, scope: Scope): Promise<void> {
  const q = `SELECT w, count(*) AS n FROM "${scope.table.name}"${condition(scope)} GROUP BY w`;
  const question: Question = { table: scope.table, language: 'sql', q, format: 'csv' };
  const told = await ask(world, url, question);
  if (told === undefined) return;
  await compared(question, () => {
    const found = new Map(readCsv(told.body.toString()).rows.map(([writer, count]) => [String(writer), Number(count)]));
    for (const writer of scope.writers ?? scope.table.blocks.keys()) {
      let least = 0;
      let most = 0;
      for (const block of blocksOf({ ...scope, writers: [writer] })) {
        const counts = countsOf(block, block.states(told.asked.askedAt, told.asked.answeredAt));
        const sure = isDeterminate(block, told.asked);
        least += sure ? Math.min(...counts) : 0;
        most += Math.max(...counts);
      }
      const count = found.get(writerName(writer)) ?? 0;
      found.delete(writerName(writer));
      if (count < least) throw new Fault('lost', `${count} rows of ${writerName(writer)} are there, at least ${least} must be`);
      if (count > most) throw new Fault('doubled', `${count} rows of ${writerName(writer)} are there, at most ${most} may be`);
    }
    for (const name of found.keys()) throw new Fault('invented', `rows of ${name}, who wrote none`);
  });
}

function countsOf(block: Block, { least, most }: { readonly least: number; readonly most: number }): number[] {
  const counts: number[] = [];
  for (let state = least; state <= most; state++) {
    let rows = 0;
    for (let row = 0; row < block.rows; row++) if (block.hasRow(state, row)) rows++;
    counts.push(rows);
  }
  return counts;
}

/** No key may be there twice: asks DuckDB itself. */
export async function readRepeats(world: World, url: string, scope: Scope): Promise<void> {
  const q = `SELECT w, s, time, count(*) AS n FROM "${scope.table.name}"${condition(scope)} GROUP BY w, s, time HAVING count(*) > 1`;
  const question: Question = { table: scope.table, language: 'sql', q, format: 'csv' };
  const told = await ask(world, url, question);
  if (told === undefined) return;
  await compared(question, () => {
    const [first] = readCsv(told.body.toString()).rows;
    if (first !== undefined) throw new Fault('doubled', `a key is there more than once: ${first.join(' ')}`);
  });
}
