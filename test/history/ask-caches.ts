import { readCsv, TimeReader } from './answers.ts';
import { Fault, isDeterminate } from './check.ts';
import { ask, compared, type Question, type Told } from './question.ts';
import { type Block, type Table, writes } from './tables.ts';
import { isCell, STEP_NS, seriesName, writerName } from './values.ts';
import type { World } from './world.ts';

/** Combinations above which a distinct value cache may have left some out. */
const COMBINATIONS_MAX = 90_000;

/** Reads the newest row of each writer from the last value cache. */
export async function readLastCache(world: World, url: string, table: Table): Promise<void> {
  const q = `SELECT w, time, i0 FROM last_cache('${table.name}', 'last_cache')`;
  const question: Question = { table, language: 'sql', q, format: 'csv' };
  const told = await ask(world, url, question);
  if (told === undefined) return;
  await compared(question, () => {
    const times = new TimeReader();
    const seen = new Set<number>();
    for (const [name, time, value] of readCsv(told.body.toString()).rows) {
      const writer = Number(String(name).slice(1));
      if (seen.has(writer)) throw new Fault('doubled', `the cache has two rows of ${name}`);
      seen.add(writer);
      const { slot, ns } = times.read(time);
      const block = table.blocks[writer]?.get(slot);
      const row = ns / STEP_NS;
      if (block === undefined || !block.operations.some((one) => row >= one.from && row < one.to && one.kind === 'write'))
        throw new Fault('invented', `the cache has a row that nobody wrote: ${name} ${time} ${value}`, block, row);
      if (value !== undefined && !wroteInteger(block, row, Number(value)))
        throw new Fault('changed', `the cache has i0 = ${value} of ${name}, which nobody wrote`, block, row);
      const newest = newestRow(table, writer, told);
      if (newest !== undefined && before(block, row, newest))
        throw new Fault(
          'lost',
          `the cache has row ${row} of minute ${slot}, not row ${newest.row} of ${newest.block.slot}`,
          newest.block,
          newest.row,
        );
    }
    for (const writer of table.blocks.keys()) {
      const newest = seen.has(writer) ? undefined : newestRow(table, writer, told);
      if (newest !== undefined) throw new Fault('lost', `the cache has no row of ${writerName(writer)}`, newest.block, newest.row);
    }
  });
}

interface Newest {
  readonly block: Block;
  readonly row: number;
}

function before(block: Block, row: number, newest: Newest): boolean {
  return block.slot < newest.block.slot || (block.slot === newest.block.slot && row < newest.row);
}

function wroteInteger(block: Block, row: number, value: number): boolean {
  return block.operations.some(
    (operation) =>
      writes(operation, row, 0) &&
      [0, 1].some((pass) => isCell(value, { writer: block.writer, operation: operation.number, pass, row }, 0)),
  );
}

/** The newest row that was surely there when the question was asked and stayed there until it was answered. */
function newestRow(table: Table, writer: number, { asked }: Told): Newest | undefined {
  let newest: Newest | undefined;
  for (const block of table.blocks[writer]?.values() ?? []) {
    if (newest !== undefined && block.slot < newest.block.slot) continue;
    if (!isDeterminate(block, asked)) continue;
    const { least } = block.states(asked.askedAt, asked.answeredAt);
    for (let row = block.rows - 1; row >= 0; row--) {
      if (!block.hasRow(least, row)) continue;
      if (newest === undefined || before(newest.block, newest.row, { block, row })) newest = { block, row };
      break;
    }
  }
  return newest;
}

/** Reads all combinations of writer and series from the distinct value cache. */
export async function readDistinctCache(world: World, url: string, table: Table): Promise<void> {
  const q = `SELECT w, s FROM distinct_cache('${table.name}', 'distinct_cache')`;
  const question: Question = { table, language: 'sql', q, format: 'csv' };
  const told = await ask(world, url, question);
  if (told === undefined) return;
  await compared(question, () => {
    const found = new Set<string>();
    for (const [writer, series] of readCsv(told.body.toString()).rows) {
      const key = `${writer} ${series}`;
      if (found.has(key)) throw new Fault('doubled', `the cache has ${key} twice`);
      found.add(key);
    }
    const possible = new Set<string>();
    for (const block of table.allBlocks()) {
      const { least } = block.states(told.asked.askedAt, told.asked.answeredAt);
      const sure = isDeterminate(block, told.asked);
      for (let row = 0; row < block.rows; row++) {
        const key = `${writerName(block.writer)} ${seriesName(block.shape, row)}`;
        possible.add(key);
        if (found.size < COMBINATIONS_MAX && sure && block.hasRow(least, row) && !found.has(key))
          throw new Fault('lost', `the cache lacks ${key}`, block, row);
      }
    }
    for (const key of found) if (!possible.has(key)) throw new Fault('invented', `the cache has ${key}, which nobody wrote`);
    world.counts.cellsVerified += found.size * 2;
  });
}
