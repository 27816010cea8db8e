import { Encoder } from '@msgpack/msgpack';
import type { ResultVector } from '../../../../query/result.ts';
import { isNullAt, textAt } from '../../../../query/results/index.ts';
import { InfluxError } from '../../../../shared/errors.ts';
import { TextSink } from '../formats/index.ts';
import { TimestampWriter } from '../formats/times.ts';
import type { V1Column, V1Series, V1SeriesWriter } from './v1-statement.ts';

/**
 * Most bytes of one statement's rows: the format has counts in front, so nothing can be sent before the last row is
 * known, unless the answer is chunked.
 */
const HELD_BYTES_MAX = 256 * 1024 * 1024;

/** Writes answers as MessagePack. compat: structs are arrays of their members, and absent members are left out. */
export class MessagePackWriter {
  readonly sink: TextSink;
  // floats stay floats when they are whole, and integers have 64 bits
  readonly #encoder = new Encoder({ useBigInt64: true, forceIntegerToFloat: true });

  constructor(sink: TextSink) {
    this.sink = sink;
  }

  value(value: unknown, sink = this.sink): void {
    sink.append(this.#encoder.encodeSharedRef(value));
  }

  /** The head of an array, whose items follow. */
  array(count: number, sink = this.sink): void {
    if (count < 0x10) sink.byte(0x90 | count);
    else if (count < 0x1_0000) {
      for (const byte of [0xdc, count >> 8, count & 0xff]) sink.byte(byte);
    } else {
      for (const byte of [0xdd, count >>> 24, (count >> 16) & 0xff, (count >> 8) & 0xff, count & 0xff]) sink.byte(byte);
    }
  }

  /** The head of a statement with so many members after its id. */
  statement(id: number, others: number): void {
    this.array(1 + others);
    this.value(BigInt(id));
  }

  /** A whole answer, or one of its chunks, begins. */
  results(count: number): void {
    this.array(1);
    this.array(count);
  }
}

/** Series as MessagePack: of one document, or a document for each slice. */
export class MessagePackSeriesWriter implements V1SeriesWriter {
  readonly #id: number;
  readonly #chunked: boolean;
  readonly #heldBytesMax: number;
  readonly #writer: MessagePackWriter;
  readonly #names: readonly string[];
  readonly #cells: readonly { readonly index: number; readonly read: CellReader }[];
  /** Series that are complete, unless the answer is chunked. */
  readonly #finished = new TextSink();
  readonly #rows = new TextSink();
  #series: V1Series = { name: '', tags: [] };
  #rowCount = 0;
  #seriesCount = 0;

  constructor(
    id: number,
    shown: readonly V1Column[],
    style: { readonly epochNs: bigint | undefined; readonly chunked: boolean; readonly heldBytesMax?: number },
    writer: MessagePackWriter,
  ) {
    this.#id = id;
    this.#chunked = style.chunked;
    this.#heldBytesMax = style.heldBytesMax ?? HELD_BYTES_MAX;
    this.#writer = writer;
    this.#names = shown.map(({ column }) => column.name);
    this.#cells = shown.map(({ index, column }) => ({ index, read: cellReader(column.type, style.epochNs) }));
  }

  begin(series: V1Series): void {
    this.#series = series;
  }

  row(columns: readonly ResultVector[], row: number): void {
    const cells = this.#cells.map(({ index, read }) => read(columns[index] as ResultVector, row));
    this.#writer.value(cells, this.#rows);
    this.#rowCount++;
    if (this.#rows.length + this.#finished.length > this.#heldBytesMax) throw answerTooLarge(this.#heldBytesMax);
  }

  end(seriesGoesOn: boolean, more: boolean): void {
    const writer = this.#writer;
    if (this.#chunked) {
      writer.results(1);
      writer.statement(this.#id, more ? 2 : 1);
      writer.array(1);
      this.#endSeries(writer.sink, seriesGoesOn);
      if (more) writer.value(true);
      return;
    }
    this.#endSeries(this.#finished, false);
    this.#seriesCount++;
    if (more) return;
    writer.statement(this.#id, 1);
    writer.array(this.#seriesCount);
    writer.sink.append(this.#finished.take());
  }

  #endSeries(sink: TextSink, partial: boolean): void {
    const writer = this.#writer;
    const { name, tags } = this.#series;
    writer.array(3 + (tags.length > 0 ? 1 : 0) + (partial ? 1 : 0), sink);
    writer.value(name, sink);
    if (tags.length > 0) writer.value(Object.fromEntries(tags.map(({ key, value }) => [key, value])), sink);
    writer.value(this.#names, sink);
    writer.array(this.#rowCount, sink);
    sink.append(this.#rows.take());
    if (partial) writer.value(true, sink);
    this.#rowCount = 0;
  }
}

function answerTooLarge(max: number): InfluxError {
  return new InfluxError({
    code: 'V1_ANSWER_TOO_LARGE',
    message: `Resources exhausted: the rows of a statement would take more than ${max} bytes; ask for them with chunked=true`,
    status: 500,
    shape: 'json',
  });
}

type CellReader = (vector: ResultVector, row: number) => unknown;

/** Values of one column for the encoder: bigint for integers, number for floats. */
function cellReader(type: V1Column['column']['type'], epochNs: bigint | undefined): CellReader {
  const times = new TimestampWriter(type.kind === 'timestamp' ? (type.zone ?? 'UTC') : 'UTC');
  const text = new TextSink();
  return (vector, row) => {
    if (isNullAt(vector, row)) return null;
    switch (vector.kind) {
      case 'float64':
      case 'float32':
        return vector.data[row];
      case 'int64':
      case 'uint64':
      case 'duration':
        return vector.data[row];
      case 'int8':
      case 'int16':
      case 'int32':
      case 'uint8':
      case 'uint16':
      case 'uint32':
      case 'date':
        return BigInt(vector.data[row] as number);
      case 'boolean':
        return vector.data[row] === 1;
      case 'timestamp': {
        const ns = vector.data[row] as bigint;
        if (epochNs !== undefined) return ns / epochNs;
        times.write(text, Number(ns >> 32n), Number(ns & 0xffff_ffffn));
        return text.take().toString('latin1');
      }
      case 'string':
      case 'coded':
        return textAt(vector, row);
      default:
        throw new Error(`internal error: InfluxQL has no columns of the type ${vector.kind}`);
    }
  };
}
