import type { ResultColumn, ResultVector } from '../../../../query/result.ts';
import { isNullAt, textAt } from '../../../../query/results/index.ts';
import { writeCsvText } from '../formats/csv.ts';
import type { TextSink } from '../formats/index.ts';
import { writeJsonText } from '../formats/json-values.ts';
import { TimestampWriter } from '../formats/times.ts';

/** A number that JSON cannot hold: it takes the place of the whole answer. */
export class UnsupportedNumber extends Error {
  constructor(value: number) {
    super(`json: unsupported value: ${value > 0 ? '+Inf' : '-Inf'}`);
    this.name = 'UnsupportedNumber';
  }
}

export interface V1CellStyle {
  /** Nanoseconds a unit for times as whole numbers; undefined = RFC 3339 text. */
  readonly epochNs: bigint | undefined;
  readonly csv: boolean;
}

/** Writes the cells of one column in the way of the v1 query endpoint. */
export class V1ColumnCells {
  readonly #style: V1CellStyle;
  readonly #times: TimestampWriter;
  readonly #writeText: typeof writeJsonText;

  constructor(column: ResultColumn, style: V1CellStyle) {
    this.#style = style;
    this.#writeText = style.csv ? writeCsvText : writeJsonText;
    this.#times = new TimestampWriter(column.type.kind === 'timestamp' ? (column.type.zone ?? 'UTC') : 'UTC');
  }

  /** Writes the value of a row; null is `null` in JSON, nothing (for times 0) in CSV. */
  write(sink: TextSink, vector: ResultVector, row: number): void {
    if (isNullAt(vector, row)) {
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
      case 'int8':
      case 'int16':
      case 'int32':
      case 'uint8':
      case 'uint16':
      case 'uint32':
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
        this.#writeText(sink, vector.bytes, vector.offsets[row] as number, vector.offsets[row + 1] as number);
        break;
      case 'coded': {
        const text = Buffer.from(textAt(vector, row) ?? '');
        this.#writeText(sink, text, 0, text.length);
        break;
      }
      default:
        throw new Error(`internal error: InfluxQL has no columns of the type ${vector.kind}`);
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
}

/** Quoted only where a comma, a quote or a line end asks for it. */
export function csvCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
