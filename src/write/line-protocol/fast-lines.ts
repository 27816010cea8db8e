import type { SeriesId } from '../../shared/ids.ts';
import { BOOLEAN, type ColumnBuilder, FLOAT, INTEGER, STRING, UINTEGER } from './column-builder.ts';
import { readFloat } from './float.ts';
import { readInt64 } from './int64.ts';
import { NewSeriesRows } from './new-series.ts';
import type { RawSeriesCache } from './raw-series-cache.ts';
import { SeriesKeyReader } from './series-key.ts';
import type { TableBuilder } from './table-builder.ts';
import type { TableSet } from './table-set.ts';
import type { TimestampReader } from './timestamp.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const ESCAPED_NAME_BYTES_MAX = 256;
/** Stands in a row until the line is known to be good and its series is looked up. */
const UNKNOWN_SERIES = -1;

/**
 * The hot loop: reads lines of known tables and columns straight into their arrays. It never decides that a line is bad:
 * whatever is not plain is given back untouched for the slow path, which knows the whole grammar.
 */
export class FastLines {
  /** Rows taken since `begin`, and the bytes of their lines without line ends. */
  rows = 0;
  bytes = 0;
  readonly #cache: RawSeriesCache;
  readonly #tables: TableSet;
  readonly #times: TimestampReader;
  readonly #keys: SeriesKeyReader;
  readonly #newSeries: NewSeriesRows;
  /** Result of `#fieldAt`. */
  #keyLength = 0;
  readonly #name = new Uint8Array(ESCAPED_NAME_BYTES_MAX);

  constructor(cache: RawSeriesCache, tables: TableSet, times: TimestampReader) {
    this.#cache = cache;
    this.#tables = tables;
    this.#times = times;
    this.#keys = new SeriesKeyReader(tables);
    this.#newSeries = new NewSeriesRows(cache, this.#keys);
  }

  /** Sets up for one body. Nothing that the last one left behind, for instance when it was refused, counts any more. */
  begin(): void {
    this.rows = 0;
    this.bytes = 0;
    this.#newSeries.begin();
  }

  /**
   * Reads lines of `bytes[start, end)`, which ends in a newline. Returns where the first line begins that it did not
   * take, `end` when it took all.
   */
  run(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const stopped = this.#lines(bytes, view, start, end);
    this.#newSeries.resolve(view);
    return stopped;
  }

  #lines(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const cache = this.#cache;
    const newSeries = this.#newSeries;
    let entry = 0;
    let i = start;
    while (i < end) {
      let found = cache.next[entry] as number;
      if (!cache.matches(found, view, i)) {
        if (bytes[i] === NEWLINE) {
          i++;
          continue;
        }
        const keyEnd = seriesTextEnd(bytes, i, end);
        if (keyEnd < 0) return i;
        const hash = cache.hash(view, i, keyEnd + 1 - i);
        found = newSeries.expectsMore ? 0 : cache.find(view, i, keyEnd + 1 - i, hash);
        if (found === 0) {
          const lineEnd = this.#unknownSeries(bytes, view, i, keyEnd, end, hash);
          if (lineEnd < 0) return i;
          this.#count(i, lineEnd);
          entry = newSeries.isFull ? newSeries.resolve(view) : 0;
          i = lineEnd + 1;
          continue;
        }
        newSeries.noteKnown();
        cache.next[entry] = found;
      }
      const table = this.#tables.at(cache.tableSlots[found] as number);
      if (table === undefined) {
        cache.clear();
        entry = 0;
        continue;
      }
      entry = found;
      const lineEnd = this.#row(bytes, view, i + (cache.lengths[found] as number), end, table, cache.seriesIds[found] as number);
      if (lineEnd < 0) {
        table.rollbackRow();
        return i;
      }
      this.#count(i, lineEnd);
      i = lineEnd + 1;
    }
    return i;
  }

  #count(start: number, lineEnd: number): void {
    this.rows++;
    this.bytes += lineEnd - start;
  }

  /** Takes a line whose series text is most likely not in the cache; its series is looked up later. Returns as `#row`. */
  #unknownSeries(bytes: Uint8Array, view: DataView, start: number, keyEnd: number, end: number, hash: number): number {
    if (!this.#keys.read(bytes, view, start, keyEnd)) return -1;
    const slot = this.#keys.tableSlot;
    const table = this.#tables.at(slot);
    if (table === undefined) return -1;
    const lineEnd = this.#row(bytes, view, keyEnd + 1, end, table, UNKNOWN_SERIES);
    if (lineEnd < 0) {
      table.rollbackRow();
      return -1;
    }
    this.#newSeries.add(table, slot, start, keyEnd + 1 - start, hash);
    return lineEnd;
  }

  /** Reads fields and timestamp from `start`. Returns the index of the newline, -1 when the row is not plain. */
  #row(bytes: Uint8Array, view: DataView, start: number, end: number, table: TableBuilder, seriesId: SeriesId): number {
    const row = table.rowCount;
    const times = this.#times;
    let column = table.fieldHead;
    let i = start;
    for (;;) {
      let next = column.next;
      let keyLength = next.keyLength;
      if (!next.matches(view, i)) {
        const found = this.#fieldAt(bytes, i, table);
        if (found === undefined) return -1;
        column.next = found;
        next = found;
        keyLength = this.#keyLength;
      }
      column = next;
      i += keyLength;
      if ((row !== column.filled || row >= column.capacity) && !column.prepare(row)) return -1;
      i = readValue(bytes, i, end, column, row);
      if (i < 0) return -1;
      column.filled = row + 1;
      const c = bytes[i];
      if (c === COMMA) {
        i++;
        continue;
      }
      if (c === NEWLINE) {
        table.commitRow(seriesId, times.defaultHigh, times.defaultLow);
        return i;
      }
      if (c !== SPACE) return -1;
      break;
    }
    do i++;
    while (bytes[i] === SPACE);
    i = times.read(bytes, view, i);
    // A string with a newline inside may have carried the line out of the region that ends in a newline.
    if (i < 0 || i >= end) return -1;
    table.commitRow(seriesId, times.high, times.low);
    return i;
  }

  /** The field column whose name and `=` stand at `start`, `#keyLength` bytes; undefined when it is not plain or not known. */
  #fieldAt(bytes: Uint8Array, start: number, table: TableBuilder): ColumnBuilder | undefined {
    let i = start;
    for (let c = bytes[i]; c !== EQUALS; c = bytes[++i]) {
      if (c === BACKSLASH) return this.#escapedFieldAt(bytes, start, table);
      // Anything that ends a name, or that the line splitter counts.
      if (c === undefined || c <= SPACE || c === COMMA || c === QUOTE) return undefined;
    }
    this.#keyLength = i + 1 - start;
    return table.columnAt(bytes, start, i);
  }

  #escapedFieldAt(bytes: Uint8Array, start: number, table: TableBuilder): ColumnBuilder | undefined {
    const name = this.#name;
    let length = 0;
    let i = start;
    for (let c = bytes[i]; c !== EQUALS; c = bytes[++i]) {
      if (c === BACKSLASH) {
        c = bytes[++i];
        if (c !== COMMA && c !== EQUALS && c !== SPACE) return undefined;
      } else if (c === undefined || c <= SPACE || c === COMMA || c === QUOTE) return undefined;
      if (length === name.length) return undefined;
      name[length++] = c;
    }
    this.#keyLength = i + 1 - start;
    return table.columnAt(name, 0, length);
  }
}

/** Index of the space that ends the `measurement,tags` text at `start`; -1 when the line does not begin with one. */
function seriesTextEnd(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start];
  if (first === SPACE || first === 0x09 || first === 0x23) return -1;
  let i = start;
  for (let c = first; c !== SPACE; c = bytes[++i]) {
    if (c === BACKSLASH) i++;
    else if (c === NEWLINE) return -1;
    if (i >= end) return -1;
  }
  return i;
}

/** Reads a value of the column's own type. Returns the index behind it, -1 when it is not plain. */
function readValue(bytes: Uint8Array, start: number, end: number, column: ColumnBuilder, row: number): number {
  switch (column.kind) {
    case FLOAT:
      return readFloat(bytes, start, column.floats, row);
    case INTEGER: {
      const i = readInt64(bytes, start, column.words, row, true);
      return i >= 0 && bytes[i] === 0x69 ? i + 1 : -1;
    }
    case UINTEGER: {
      const i = readInt64(bytes, start, column.words, row, false);
      return i >= 0 && bytes[i] === 0x75 ? i + 1 : -1;
    }
    case STRING:
      return bytes[start] === QUOTE ? readString(bytes, start + 1, end, column, row) : -1;
    case BOOLEAN:
      return readBoolean(bytes, start, column.bytes, row);
    default:
      return -1;
  }
}

/** Copies text up to the closing quote, unescaped. */
function readString(bytes: Uint8Array, start: number, end: number, column: ColumnBuilder, row: number): number {
  let to = column.bytesUsed;
  const first = to;
  let target = column.bytes;
  let i = start;
  for (;;) {
    const stop = Math.min(end, i + target.length - to);
    let c = 0;
    while (i < stop) {
      c = bytes[i] as number;
      if (c === QUOTE || c === BACKSLASH) break;
      target[to++] = c;
      i++;
    }
    if (i >= end) return -1;
    if (i < stop && c === QUOTE) break;
    if (i < stop) {
      const escaped = bytes[i + 1];
      if (escaped === QUOTE || escaped === BACKSLASH) i++;
      target[to++] = bytes[i] as number;
      i++;
      continue;
    }
    column.bytesUsed = to;
    column.reserveBytes(target.length + 1024);
    column.bytesUsed = first;
    target = column.bytes;
  }
  if (to - first > 1048576) return -1;
  column.bytesUsed = to;
  column.offsets[row + 1] = to;
  return i + 1;
}

/** Reads one of the ten boolean words; a word that goes on is found out by what must follow a value. */
function readBoolean(bytes: Uint8Array, start: number, out: Uint8Array, row: number): number {
  const first = bytes[start] as number;
  const folded = first | SPACE;
  if (folded !== 0x74 && folded !== 0x66) return -1;
  const truth = folded === 0x74;
  out[row] = truth ? 1 : 0;
  const second = bytes[start + 1] as number;
  if (second === COMMA || second === SPACE || second === NEWLINE) return start + 1;
  const rest = truth ? 'rue' : 'alse';
  const upper = (second & SPACE) === 0;
  if (upper && (first & SPACE) !== 0) return -1;
  for (let k = 0; k < rest.length; k++) {
    const expected = upper ? rest.charCodeAt(k) - SPACE : rest.charCodeAt(k);
    if (bytes[start + 1 + k] !== expected) return -1;
  }
  return start + 1 + rest.length;
}
