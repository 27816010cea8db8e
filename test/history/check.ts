import { type Answer, TimeReader } from './answers.ts';
import { type Block, type States, stampOf, type Table } from './tables.ts';
import { type Cell, cellText, extraTag, fieldName, fieldOfName, readCellNumber, STEP_NS, seriesName, writerName } from './values.ts';

/** Which rows were asked for: of some writers, in minutes `slotFrom` to `slotTo` - 1. */
export interface Scope {
  readonly table: Table;
  /** Undefined = all. */
  readonly writers: readonly number[] | undefined;
  readonly slotFrom: number;
  readonly slotTo: number;
}

/** When a question was asked and when its answer was there, in ticks of the model. */
export interface Asked {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly askedMs: number;
  readonly answeredMs: number;
}

export type FaultKind = 'lost' | 'invented' | 'changed' | 'doubled' | 'torn' | 'unexpected';

/** Something that must not be. */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly block: Block | undefined;
  readonly row: number;

  constructor(kind: FaultKind, message: string, block?: Block, row = -1) {
    super(message);
    this.name = 'Fault';
    this.kind = kind;
    this.block = block;
    this.row = row;
  }
}

interface Columns {
  readonly time: number;
  readonly writer: number;
  readonly series: number;
  /** Position and name of further tags. */
  readonly tags: readonly (readonly [number, string])[];
  /** Position and number of fields. */
  readonly fields: readonly (readonly [number, number])[];
}

/** How much was compared. */
export interface Verified {
  readonly rows: number;
  readonly cells: number;
}

/** Hears which numbers of operations a block's rows are the result of. */
export type OnFit = (block: Block, states: readonly number[]) => void;

/** Compares every row and every cell of an answer with the model. Throws a `Fault`. */
export function checkRows(scope: Scope, asked: Asked, answer: Answer, onFit?: OnFit): Verified {
  const columns = columnsOf(answer.columns);
  const byBlock = rowsByBlock(scope, answer, columns);
  for (const block of blocksOf(scope)) {
    const states = block.states(asked.askedAt, asked.answeredAt);
    if (states.most === 0) continue;
    const rows = byBlock.get(block) ?? [];
    byBlock.delete(block);
    const shown = retained(block, asked);
    if (shown === 'none' && rows.length > 0)
      throw new Fault('invented', 'rows past their retention are shown', block, rows.findIndex(isThere));
    if (shown === 'none') continue;
    if (shown === 'some' || deleteUnderWay(block, states)) checkLoosely(block, rows, columns, states, shown === 'some');
    else {
      const fitting = fittingStates(block, rows, columns, states, onFit !== undefined);
      onFit?.(block, fitting);
    }
  }
  for (const [block, rows] of byBlock) {
    throw new Fault(
      'invented',
      'rows that were not written when the answer was there',
      block,
      rows.findIndex((row) => row !== undefined),
    );
  }
  return { rows: answer.rows.length, cells: answer.rows.length * columns.fields.length };
}

/** What of a block the retention period lets be seen at the time of a question. */
function retained(block: Block, { askedMs, answeredMs }: Asked): 'all' | 'some' | 'none' {
  const { retentionMs } = block.table.database;
  if (retentionMs === undefined) return 'all';
  const { fromMs, toMs } = block.spanMs;
  if (toMs < askedMs - retentionMs) return 'none';
  return fromMs >= answeredMs - retentionMs ? 'all' : 'some';
}

/** False while a delete is under way or the retention period cuts through the block: then each row may be there or not. */
export function isDeterminate(block: Block, asked: Asked): boolean {
  return retained(block, asked) === 'all' && !deleteUnderWay(block, block.states(asked.askedAt, asked.answeredAt));
}

/** A delete takes rows out of files and out of memory one after the other: until its answer each row may be there or not. */
function deleteUnderWay(block: Block, { least, most }: States): boolean {
  return block.operations.slice(least, most).some(({ kind }) => kind === 'delete');
}

function isThere(row: readonly Cell[] | undefined): boolean {
  return row !== undefined;
}

/** All blocks of a scope. */
export function* blocksOf({ table, writers, slotFrom, slotTo }: Scope): Generator<Block> {
  for (const writer of writers ?? table.blocks.keys()) {
    const blocks = table.blocks[writer];
    if (blocks === undefined) continue;
    for (const block of blocks.values()) if (block.slot >= slotFrom && block.slot < slotTo) yield block;
  }
}

function columnsOf(names: readonly string[]): Columns {
  const tags: [number, string][] = [];
  const fields: [number, number][] = [];
  names.forEach((name, position) => {
    if (name === 'time' || name === 'w' || name === 's' || name === 'iox::measurement' || name === 'name' || name === 'tags') return;
    if (/^x\d+$/.test(name)) tags.push([position, name]);
    else {
      const field = fieldOfName(name);
      if (field === undefined) throw new Fault('invented', `a column that nobody wrote: ${name}`);
      fields.push([position, field]);
    }
  });
  return { time: names.indexOf('time'), writer: names.indexOf('w'), series: names.indexOf('s'), tags, fields };
}

type FoundRows = (readonly Cell[] | undefined)[];

/** Files each row under the block and the number that its tags and its time say. */
function rowsByBlock({ table, slotFrom, slotTo }: Scope, answer: Answer, columns: Columns): Map<Block, FoundRows> {
  const times = new TimeReader();
  const found = new Map<Block, FoundRows>();
  for (const cells of answer.rows) {
    const { slot, ns } = times.read(cells[columns.time]);
    const name = String(cells[columns.writer]);
    const block = table.blocks[Number(name.slice(1))]?.get(slot);
    const row = ns / STEP_NS;
    if (block === undefined || !Number.isInteger(row) || row >= block.rows || slot < slotFrom || slot >= slotTo)
      throw new Fault('invented', `a row that nobody wrote${originOf(cells, columns)}: ${describe(answer.columns, cells)}`, block, row);
    const series = seriesName(block.shape, row);
    if (cells[columns.series] !== series) {
      const message = `row ${row} has tag s = ${JSON.stringify(cells[columns.series])}, not ${JSON.stringify(series)}`;
      throw new Fault('changed', `${message}${originOf(cells, columns)}: ${describe(answer.columns, cells)}`, block, row);
    }
    for (const [position, tag] of columns.tags) {
      const value = tag === block.shape.extraTag ? extraTag(block.shape, row) : undefined;
      if (cells[position] !== value)
        throw new Fault('changed', `row ${row} has tag ${tag} = ${String(cells[position])}, not ${String(value)}`, block, row);
    }
    let rows = found.get(block);
    if (rows === undefined) {
      rows = [];
      found.set(block, rows);
    }
    if (rows[row] !== undefined) throw new Fault('doubled', `row ${row} comes twice: ${describe(answer.columns, cells)}`, block, row);
    rows[row] = cells;
  }
  return found;
}

interface Difference {
  readonly kind: FaultKind;
  readonly row: number;
  readonly text: string;
}

/** The rows of a block must be those of one moment between the question and its answer. Throws a `Fault` when they are of none. */
function fittingStates(block: Block, rows: FoundRows, columns: Columns, { least, most }: States, all: boolean): number[] {
  const fitting: number[] = [];
  let first: Difference | undefined;
  let count = 0;
  for (let state = least; state <= most; state++) {
    const differences = compare(block, rows, columns, state);
    if (differences.count === 0) {
      fitting.push(state);
      if (!all) return fitting;
    }
    first ??= differences.first;
    count = Math.max(count, differences.count);
  }
  if (fitting.length > 0) return fitting;
  const { kind, row, text } = first as Difference;
  if (least === most) throw new Fault(kind, `${text} (${count} rows of this block are wrong)`, block, row);
  throw new Fault(kind === 'lost' ? 'torn' : kind, `${text} (the rows fit none of states ${least} to ${most})`, block, row);
}

/** Each row by itself must be that of one of the states, or may be missing. */
function checkLoosely(block: Block, rows: FoundRows, columns: Columns, { least, most }: States, mayMiss: boolean): void {
  for (let row = 0; row < block.rows; row++) {
    if (mayMiss && rows[row] === undefined) continue;
    let first: Difference | undefined;
    let fits = false;
    for (let state = least; state <= most && !fits; state++) {
      const difference = compareRow(block, rows[row], columns, state, row);
      if (difference === undefined) fits = true;
      first ??= difference;
    }
    if (!fits && first !== undefined) throw new Fault(first.kind, `${first.text} (states ${least} to ${most})`, block, row);
  }
}

function compare(block: Block, rows: FoundRows, columns: Columns, state: number): { count: number; first: Difference | undefined } {
  let count = 0;
  let first: Difference | undefined;
  for (let row = 0; row < block.rows; row++) {
    const difference = compareRow(block, rows[row], columns, state, row);
    if (difference === undefined) continue;
    count++;
    first ??= difference;
  }
  return { count, first };
}

function compareRow(
  block: Block,
  cells: readonly Cell[] | undefined,
  columns: Columns,
  state: number,
  row: number,
): Difference | undefined {
  const wanted = block.hasRow(state, row);
  if (cells === undefined) return wanted ? { kind: 'lost', row, text: `row ${row} is not there` } : undefined;
  if (!wanted) return { kind: 'invented', row, text: `row ${row} is there although it should not be` };
  for (const [position, field] of columns.fields) {
    const actual = cells[position];
    if (block.isCellRight(state, row, field, actual)) continue;
    const operation = block.writtenBy(state, row, field);
    const expected = operation === undefined ? 'null' : cellText(stampOf(operation, row), field);
    const text = `row ${row}: ${fieldName(field)} is ${JSON.stringify(String(actual))}, not ${JSON.stringify(expected)}`;
    return { kind: 'changed', row, text: `${text}${originOf(cells, columns)}` };
  }
  return undefined;
}

/** Whose row it may be by its first integer. */
function originOf(cells: readonly Cell[], { fields }: Columns): string {
  const position = fields.find(([, field]) => field === 0)?.[0];
  const value = position === undefined ? undefined : cells[position];
  if (value === undefined || !Number.isSafeInteger(Number(value))) return '';
  const { stamp } = readCellNumber(Number(value));
  return ` (its i0 is of ${writerName(stamp.writer)}, operation ${stamp.operation}, row ${stamp.row}, pass ${stamp.pass})`;
}

function describe(names: readonly string[], cells: readonly Cell[]): string {
  return names.flatMap((name, i) => (cells[i] === undefined ? [] : [`${name}=${JSON.stringify(String(cells[i]))}`])).join(' ');
}
