import type { ByteRows, ResultType, ResultVector, SmallIntegers } from '../../../../query/result.ts';
import { decimalText, hugeInteger } from '../../../../query/results/index.ts';
import { unreachable } from '../../../../shared/assert.ts';
import { NestedCells, type NestedStyle } from './nested-cells.ts';
import { type FloatStyle, float32Text, writeFloat64, writeInt64, writeInteger } from './numbers.ts';
import type { TextSink } from './text-sink.ts';
import { TimestampWriter, writeDate, writeDuration, writeInterval, writeTimeOfDay } from './times.ts';

/** Writes the value of one row; false = it is null and nothing was written. */
export type WriteCell = (row: number) => boolean;

/** What a format does in its own way. Everything else is the same in all text formats. */
export interface CellStyle {
  readonly floats: FloatStyle;
  /** What stands for NaN and infinities; undefined = their names. */
  readonly notFinite: string | undefined;
  /** Strings, timestamps and other values that JSON puts in quotes. */
  readonly quote: '"' | '';
  /** Writes the text whose UTF-8 is `bytes[start .. end]`. */
  writeText(sink: TextSink, bytes: Uint8Array, start: number, end: number): void;
  readonly nested: NestedStyle;
}

/** Writers of one column's cells. One per column and result, so that state between rows survives the batches. */
export class ColumnCells {
  readonly #sink: TextSink;
  readonly #style: CellStyle;
  readonly #type: ResultType;
  readonly #times: TimestampWriter;
  #nested: NestedCells | undefined;
  #codedTexts: readonly string[] | undefined;
  #codedBytes: (Uint8Array | undefined)[] = [];

  constructor(sink: TextSink, type: ResultType, style: CellStyle) {
    this.#sink = sink;
    this.#style = style;
    this.#type = type;
    this.#times = new TimestampWriter(type.kind === 'timestamp' ? type.zone : undefined);
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
      case 'int8':
      case 'int16':
      case 'int32':
      case 'uint8':
      case 'uint16':
      case 'uint32':
        return this.#smallInteger(vector.data, vector.valid);
      case 'boolean':
        return this.#boolean(vector.data, vector.valid);
      case 'timestamp':
        return this.#timestamp(vector.data, vector.valid);
      case 'date':
        return this.#quoted(vector.valid, (row) => writeDate(this.#sink, vector.data[row] ?? 0));
      case 'duration':
        return this.#quoted(vector.valid, (row) => writeDuration(this.#sink, vector.data[row] ?? 0n));
      case 'time':
        return this.#quoted(vector.valid, (row) => writeTimeOfDay(this.#sink, vector.data[row] ?? 0n));
      case 'interval': {
        const { parts, nanos } = vector;
        return this.#quoted(vector.valid, (row) =>
          writeInterval(this.#sink, parts[row * 2] ?? 0, parts[row * 2 + 1] ?? 0, nanos[row] ?? 0n),
        );
      }
      case 'hugeint':
        return this.#hugeint(vector.data, vector.valid);
      case 'decimal':
        return this.#decimal(vector.data, vector.valid);
      case 'string':
        return this.#text(vector);
      case 'coded':
        return this.#coded(vector);
      case 'binary':
        return this.#binary(vector);
      case 'null':
        return () => false;
      case 'list':
      case 'struct':
      case 'map':
        this.#nested ??= new NestedCells(
          this.#sink,
          this.#type,
          this.#style.nested,
          (type) => new ColumnCells(this.#sink, type, this.#style),
        );
        return this.#nested.writer(vector);
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

  #smallInteger(data: SmallIntegers, valid: Uint8Array | undefined): WriteCell {
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

  #hugeint(data: BigUint64Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    const signed = this.#type.kind !== 'hugeint' || this.#type.signed;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      sink.ascii(String(hugeInteger(data, row, signed)));
      return true;
    };
  }

  #decimal(data: BigUint64Array, valid: Uint8Array | undefined): WriteCell {
    const sink = this.#sink;
    const scale = this.#type.kind === 'decimal' ? this.#type.scale : 0;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      sink.ascii(decimalText(data, row, scale));
      return true;
    };
  }

  #text({ bytes, offsets, valid }: ByteRows): WriteCell {
    const sink = this.#sink;
    const style = this.#style;
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      style.writeText(sink, bytes, offsets[row] as number, offsets[row + 1] as number);
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
        const text = Buffer.from(texts[code] as string);
        this.#style.writeText(sink, text, 0, text.length);
        known[code] = bytes = Uint8Array.prototype.slice.call(sink.bytes, start, sink.length);
      } else sink.append(bytes);
      return true;
    };
  }

  #binary({ bytes, offsets, valid }: ByteRows): WriteCell {
    const sink = this.#sink;
    const quote = this.#style.quote;
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return (row) => {
      if (valid !== undefined && isNull(valid, row)) return false;
      sink.ascii(`${quote}${all.toString('hex', offsets[row], offsets[row + 1])}${quote}`);
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
