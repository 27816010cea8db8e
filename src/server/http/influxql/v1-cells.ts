import type { ResultColumn, ResultVector } from '../../../query/result.ts';
import type { TextSink } from '../formats/index.ts';
import { writeJsonString, writeJsonValue } from '../formats/json-values.ts';
import { TimestampWriter } from '../formats/times.ts';

/** A number that JSON cannot hold: it takes the place of the whole answer (http-api.md 8). */
export class UnsupportedNumber extends Error {
  constructor(value: number) {
    super(`json: unsupported value: ${value > 0 ? '+Inf' : '-Inf'}`);
    this.name = 'UnsupportedNumber';
  }
}

/** Nanoseconds of the units of `epoch`. */
export const EPOCH_UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  u: 1_000n,
  µ: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

export interface V1CellStyle {
  /** Nanoseconds a unit for times as whole numbers; undefined = RFC 3339 text. */
  readonly epochNs: bigint | undefined;
  readonly csv: boolean;
}

/** Writes the cells of one column in the way of the v1 query endpoint. */
export class V1ColumnCells {
  readonly #style: V1CellStyle;
  readonly #times: TimestampWriter;

  constructor(column: ResultColumn, style: V1CellStyle) {
    this.#style = style;
    this.#times = new TimestampWriter(column.type.kind === 'timestamp' ? (column.type.zone ?? 'UTC') : 'UTC');
  }

  /** Writes the value of a row; null is `null` in JSON, nothing (for times 0) in CSV. */
  write(sink: TextSink, vector: ResultVector, row: number): void {
    if (isNull(vector, row)) {
      if (!this.#style.csv) sink.ascii('null');
      else if (vector.kind === 'timestamp') sink.ascii('0');
      return;
    }
    switch (vector.kind) {
      case 'float64':
      case 'float32':
        this.#float(sink, vector.data[row] as number);
        break;
      case 'int64':
      case 'uint64':
      case 'int32':
      case 'date':
      case 'duration':
        sink.ascii(String(vector.data[row]));
        break;
      case 'boolean':
        sink.ascii(vector.data[row] === 1 ? 'true' : 'false');
        break;
      case 'timestamp':
        this.#time(sink, vector.data[row] as bigint);
        break;
      case 'string':
        this.#string(sink, vector.text(row) ?? '');
        break;
      case 'binary':
        this.#string(sink, Buffer.from(vector.bytes(row) ?? []).toString('hex'));
        break;
      case 'nested':
        writeJsonValue(sink, vector.value(row));
        break;
      case 'null':
        break;
    }
  }

  #float(sink: TextSink, value: number): void {
    if (Number.isNaN(value)) sink.ascii(this.#style.csv ? 'NaN' : 'null');
    else if (!Number.isFinite(value)) {
      if (!this.#style.csv) throw new UnsupportedNumber(value);
      sink.ascii(value > 0 ? '+Inf' : '-Inf');
    } else sink.ascii(String(value)); // compat: whole numbers have no `.0` here
  }

  #time(sink: TextSink, ns: bigint): void {
    const { epochNs, csv } = this.#style;
    if (epochNs !== undefined || csv) {
      sink.ascii(String(ns / (epochNs ?? 1n)));
      return;
    }
    sink.ascii('"');
    this.#times.write(sink, Number(ns >> 32n), Number(ns & 0xffff_ffffn));
    sink.ascii('"');
  }

  #string(sink: TextSink, text: string): void {
    if (!this.#style.csv) writeJsonString(sink, text);
    else sink.utf8(csvCell(text));
  }
}

/** Quoted only where a comma, a quote or a line end asks for it. */
export function csvCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** True when the cell holds nothing. */
export function isNull(vector: ResultVector, row: number): boolean {
  switch (vector.kind) {
    case 'null':
      return true;
    case 'string':
      return vector.text(row) === null;
    case 'binary':
      return vector.bytes(row) === null;
    case 'nested':
      return vector.value(row) === null;
    default:
      return vector.valid !== undefined && (((vector.valid[row >> 3] as number) >> (row & 7)) & 1) === 0;
  }
}
