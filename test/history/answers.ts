import { DataType, tableFromIPC, type Vector } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Cell } from './values.ts';

/** Rows of an answer, whatever its format. */
export interface Answer {
  readonly columns: readonly string[];
  /** Null is undefined. */
  readonly rows: readonly (readonly Cell[])[];
}

/** Reads CSV with a head line. A cell without quotes and without text is null. */
export function readCsv(text: string): Answer {
  const rows: Cell[][] = [];
  let row: Cell[] = [];
  let at = 0;
  while (at < text.length) {
    if (text.charCodeAt(at) === QUOTE) {
      let end = text.indexOf('"', at + 1);
      while (text.charCodeAt(end + 1) === QUOTE) end = text.indexOf('"', end + 2);
      row.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
    } else {
      const from = at;
      while (at < text.length && text.charCodeAt(at) !== COMMA && text.charCodeAt(at) !== NEWLINE) at++;
      row.push(from === at ? undefined : text.slice(from, at));
    }
    if (text.charCodeAt(at) === COMMA) {
      at++;
      if (at < text.length && text.charCodeAt(at) !== NEWLINE) continue;
      row.push(undefined);
    }
    rows.push(row);
    row = [];
    at++;
  }
  const columns = (rows.shift() ?? []) as string[];
  return { columns, rows };
}

const QUOTE = 34;
const COMMA = 44;
const NEWLINE = 10;

/** Rows as objects, of JSON or one JSON object a line; members that are null are left out. */
export function readObjects(objects: readonly Readonly<Record<string, unknown>>[]): Answer {
  const positions = new Map<string, number>();
  const rows = objects.map((object) => {
    const row: Cell[] = [];
    for (const name of Object.keys(object)) {
      let at = positions.get(name);
      if (at === undefined) {
        at = positions.size;
        positions.set(name, at);
      }
      row[at] = (object[name] ?? undefined) as Cell;
    }
    return row;
  });
  return { columns: [...positions.keys()], rows };
}

export function readJson(text: string): Answer {
  return readObjects(JSON.parse(text) as Record<string, unknown>[]);
}

export function readJsonLines(text: string): Answer {
  return readObjects(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

/** Rows of an InfluxQL answer of the v1 endpoint. */
export function readSeries(text: string): Answer {
  const { results } = JSON.parse(text) as { results: { series?: { columns: string[]; values: (Cell | null)[][] }[] }[] };
  const [series] = results[0]?.series ?? [];
  const rows = (series?.values ?? []).map((values) => values.map((value) => value ?? undefined));
  return { columns: series?.columns ?? ['time', 'w', 's'], rows };
}

/** Rows of a Parquet file; times are whole nanoseconds. */
export async function readParquet(body: Buffer): Promise<Answer> {
  const file = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer;
  const parsers = {
    timestampFromMilliseconds: (ms: bigint) => ms * 1_000_000n,
    timestampFromMicroseconds: (us: bigint) => us * 1_000n,
    timestampFromNanoseconds: (ns: bigint) => ns,
  };
  const options = { file, compressors, parsers } as unknown as Parameters<typeof parquetReadObjects>[0];
  return readObjects(await parquetReadObjects(options));
}

/** Rows of an Arrow stream; times are whole nanoseconds. */
export function readArrow(body: Buffer): Answer {
  const table = tableFromIPC(body);
  const columns = table.batches.length === 0 ? [] : table.schema.fields.map(({ name }) => name);
  const rows: Cell[][] = [];
  for (const batch of table.batches) {
    const cells = batch.schema.fields.map((_, i) => cellReader(batch.getChildAt(i) as Vector));
    for (let row = 0; row < batch.numRows; row++) rows.push(cells.map((cell) => cell(row)));
  }
  return { columns: rows.length === 0 ? [] : columns, rows };
}

function cellReader(vector: Vector): (row: number) => Cell {
  if (!DataType.isTimestamp(vector.type)) return (row) => (vector.get(row) ?? undefined) as Cell;
  // apache-arrow makes milliseconds of them
  const [data] = vector.data;
  const ns = data?.values as BigInt64Array;
  return (row) => (vector.isValid(row) ? ns[(data?.offset ?? 0) + row] : undefined);
}

/** A time split where it can be held exactly. */
export interface SplitTime {
  /** Minutes since the epoch. */
  readonly slot: number;
  /** Rest of the minute in ns. */
  readonly ns: number;
}

/** Reads times as SQL (`2024-01-01T00:00:00.5`) and InfluxQL (ns as a whole number, or the same with `Z`) print them. */
export class TimeReader {
  readonly #minutes = new Map<string, number>();

  read(cell: Cell): SplitTime {
    const text = String(cell);
    if (/^-?\d+$/.test(text)) {
      const secs = Number(text.slice(0, -9));
      return { slot: Math.floor(secs / 60), ns: (secs % 60) * 1e9 + Number(text.slice(-9)) };
    }
    const minute = text.slice(0, 16);
    let slot = this.#minutes.get(minute);
    if (slot === undefined) {
      slot = Date.parse(`${minute}:00Z`) / 60_000;
      this.#minutes.set(minute, slot);
    }
    const rest = text.endsWith('Z') ? text.slice(17, -1) : text.slice(17);
    return { slot, ns: Number(rest.slice(0, 2)) * 1e9 + Number(rest.slice(3).padEnd(9, '0')) };
  }
}
