import type { ResultColumn, ResultVector } from '../../../query/result.ts';
import { unreachable } from '../../../shared/assert.ts';
import { type FloatStyle, float32Text, writeFloat64, writeInt64, writeInteger } from './numbers.ts';
import type { TextSink } from './text-sink.ts';
import { TimestampWriter, writeDate, writeDuration } from './times.ts';

/** Writes the value of one row; false = it is null and nothing was written. */
export type WriteCell = (row: number) => boolean;

/** What a format does in its own way. Everything else is the same in all text formats. */
export interface CellStyle {
  readonly floats: FloatStyle;
  /** What stands for NaN and infinities; undefined = their names. */
  readonly notFinite: string | undefined;
  /** Strings, timestamps and other values that JSON puts in quotes. */
  readonly quote: '"' | '';
  writeString(sink: TextSink, text: string): void;
  writeNested(sink: TextSink, value: unknown): void;
}

/** Writers of one column's cells. One per column and result, so that state between rows survives the batches. */
export class ColumnCells {
  readonly #sink: TextSink;
  readonly #style: CellStyle;
  readonly #times: TimestampWriter;
  #codedTexts: readonly string[] | undefined;
  #codedBytes: (Uint8Array | undefined)[] = [];

  constructor(sink: TextSink, column: ResultColumn, style: CellStyle) {
    this.#sink = sink;
    this.#style = style;
    this.#times = new TimestampWriter(column.type.kind === 'timestamp' ? column.type.zone : undefined);
  }

  /** The writer for the rows of one batch. */
  writer(vector: ResultVector): WriteCell {
    switch (vector.kind) {
      case 'float64':
        return this.#float64(vector.data, vector.valid);
      case 'float32':
        return this.#float32(vector.data, vector.valid);
      case 'int64':
        return this.#int64(vector.data, vector.valid);
      case 'uint64':
        return this.#uint64(vector.data, vector.valid);
      case 'int32':
        return this.#int32(vector.data, vector.valid);
      case 'boolean':
        return this.#boolean(vector.data, vector.valid);
      case 'timestamp':
        return this.#timestamp(vector.data, vector.valid);
      case 'date':
        return this.#quoted(vector.valid, (row) => writeDate(this.#sink, vector.data[row] ?? 0));
      case 'duration':
        return this.#quoted(vector.valid, (row) => writeDuration(this.#sink, vector.data[row] ?? 0n));
      case 'string':
        return vector.coded === undefined ? this.#string(vector.text) : this.#coded(vector.coded);
      case 'binary':
        return this.#binary(vector.bytes);
      case 'null':
        return () => false;
      case 'nested':
        return this.#nested(vector.value);
      default:
        return unreachable(vector);
    }
  }

  #float64(data: Float64Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    const { floats, notFinite } = this.#style;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      const value = data[row] as number;
      if (notFinite !== undefined && !Number.isFinite(value)) sink.ascii(notFinite);
      else writeFloat64(sink, value, floats);
      return true;
    };
  }

  #float32(data: Float32Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    const { floats, notFinite } = this.#style;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      const value = data[row] as number;
      sink.ascii(notFinite !== undefined && !Number.isFinite(value) ? notFinite : float32Text(value, floats));
      return true;
    };
  }

  #int64(data: BigInt64Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    const { low, high } = halves(data);
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      if (!writeInt64(sink, high[row * 2 + 1] as number, low[row * 2] as number)) sink.ascii(String(data[row]));
      return true;
    };
  }

  #uint64(data: BigUint64Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    const { low } = halves(data);
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      if (!writeInt64(sink, low[row * 2 + 1] as number, low[row * 2] as number)) sink.ascii(String(data[row]));
      return true;
    };
  }

  #int32(data: Int32Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      sink.reserveCell();
      writeInteger(sink, data[row] as number);
      return true;
    };
  }

  #boolean(data: Uint8Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      sink.ascii(data[row] === 0 ? 'false' : 'true');
      return true;
    };
  }

  #timestamp(data: BigInt64Array, valid: Uint8Array | undefined): WriteCell {
    const { low, high } = halves(data);
    return this.#quoted(valid, (row) => this.#times.write(this.#sink, high[row * 2 + 1] as number, low[row * 2] as number));
  }

  #quoted(valid: Uint8Array | undefined, write: (row: number) => void): WriteCell {
    const sink = this.#sink;
    const quote = this.#style.quote;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      if (quote === '') {
        write(row);
      } else {
        sink.byte(0x22);
        write(row);
        sink.byte(0x22);
      }
      return true;
    };
  }

  #string(text: (row: number) => string | null): WriteCell {
    const sink = this.#sink;
    const style = this.#style;
    return (row) => {
      const value = text(row);
      if (value === null) return false;
      style.writeString(sink, value);
      return true;
    };
  }

  /** Each text is written once; its bytes serve all rows. */
  #coded({ codes, texts }: { readonly codes: Int32Array; readonly texts: readonly string[] }): WriteCell {
    const sink = this.#sink;
    if (this.#codedTexts !== texts) {
      this.#codedTexts = texts;
      this.#codedBytes = [];
    }
    const known = this.#codedBytes;
    return (row) => {
      const code = codes[row] as number;
      if (code < 0) return false;
      let bytes = known[code];
      if (bytes === undefined) {
        const start = sink.length;
        this.#style.writeString(sink, texts[code] as string);
        known[code] = bytes = Uint8Array.prototype.slice.call(sink.bytes, start, sink.length);
      } else sink.append(bytes);
      return true;
    };
  }

  #binary(bytes: (row: number) => Uint8Array | null): WriteCell {
    const sink = this.#sink;
    const quote = this.#style.quote;
    return (row) => {
      const value = bytes(row);
      if (value === null) return false;
      sink.ascii(`${quote}${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}${quote}`);
      return true;
    };
  }

  #nested(value: (row: number) => unknown): WriteCell {
    const sink = this.#sink;
    const style = this.#style;
    return (row) => {
      const nested = value(row);
      if (nested === null || nested === undefined) return false;
      style.writeNested(sink, nested);
      return true;
    };
  }
}

function isNull(valid: Uint8Array, row: number): boolean {
  return ((valid[row >> 3] as number) & (1 << (row & 7))) === 0;
}

/** The same memory as 32-bit halves: reading a 64-bit element would make a bigint object for every cell. */
function halves(data: BigInt64Array | BigUint64Array): { low: Uint32Array; high: Int32Array } {
  return {
    low: new Uint32Array(data.buffer, data.byteOffset, data.length * 2),
    high: new Int32Array(data.buffer, data.byteOffset, data.length * 2),
  };
}
