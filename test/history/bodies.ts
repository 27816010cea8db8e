import type { Operation } from './model.ts';
import { writes } from './tables.ts';
import { cellLine, escapeTag, extraTag, fieldName, STEP_NS, type Stamp, seriesName, writerName } from './values.ts';

const MINUTE_NS = 60_000_000_000n;

/** Time of a block's first row, ns since the epoch. */
export function slotTimeNs(slot: number): bigint {
  return BigInt(slot) * MINUTE_NS;
}

/** The same as RFC 3339, some ms later or earlier. */
export function slotText(slot: number, moreMs = 0): string {
  return new Date(slot * 60_000 + moreMs).toISOString();
}

/** Lines of a write in nanoseconds or microseconds. */
export function lines(operation: Operation, precision: 'ns' | 'us'): string[] {
  const { block, from, to, twice } = operation;
  const found: string[] = [];
  const nsDigits = precision === 'ns' ? '' : undefined;
  const slotSecs = BigInt(block.slot) * 60n;
  for (let row = from; row < to; row++) {
    const ns = row * STEP_NS;
    const secs = slotSecs + BigInt(Math.floor(ns / 1e9));
    const rest = ns % 1e9;
    const time = nsDigits === undefined ? `${secs}${String(rest / 1000).padStart(6, '0')}` : `${secs}${String(rest).padStart(9, '0')}`;
    const head = seriesText(operation, row);
    if (twice) found.push(`${head} ${cells(operation, row, 0)} ${time}`);
    found.push(`${head} ${cells(operation, row, 1)} ${time}`);
  }
  return found;
}

function seriesText({ block }: Operation, row: number): string {
  const { table, shape, writer } = block;
  const extra = extraTag(shape, row);
  const tags = `${escapeTag(table.name)},w=${writerName(writer)},s=${escapeTag(seriesName(shape, row))}`;
  return extra === undefined ? tags : `${tags},${shape.extraTag}=${extra}`;
}

function cells(operation: Operation, row: number, pass: number): string {
  const stamp: Stamp = { writer: operation.block.writer, operation: operation.number, pass, row };
  const found: string[] = [];
  for (let field = 0; field < 31; field++) {
    if (writes(operation, row, field)) found.push(`${fieldName(field)}=${cellLine(stamp, field)}`);
  }
  return found.join(',');
}

/** Lines that the server must refuse, each for a reason of its own. */
export const badLines: readonly string[] = [
  't0,w=bad i0= 1',
  'no_fields,w=bad',
  ',w=bad i0=1i 1',
  't0,w=bad i0=1i 99999999999999999999999',
  't0,w=bad i0=12345678901234567890123i 1',
  't0,w=bad,w=twice i0=1i 1',
];
