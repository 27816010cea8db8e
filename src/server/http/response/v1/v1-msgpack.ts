import { Encoder } from '@msgpack/msgpack';
import type { ResultVector } from '../../../../query/result.ts';
import { isNullAt, textAt } from '../../../../query/results/index.ts';
import { InfluxError } from '../../../../shared/errors.ts';
import { SECOND_NS } from '../../../../shared/time-units.ts';
import { TextSink } from '../formats/index.ts';
import type { V1Column, V1Series, V1SeriesWriter } from './v1-statement.ts';

/**
 * Most bytes of one statement's rows: the format has counts in front, so nothing can be sent before the last row is
 * known, unless the answer is chunked.
 */
const HELD_BYTES_MAX = 256 * 1024 * 1024;

/** Nanoseconds of a second. */

/** Bytes of a time: head, length, type and twelve more. */
const TIME_BYTES = 15;

/**
 * Writes answers as MessagePack in the way of InfluxDB 1: maps with the names that JSON has, absent members left out.
 * InfluxDB 3 Core writes structs as arrays without names, which the published v1 clients cannot read.
 */
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

  /** The head of a map with fewer than 16 members; the name and the value of each follow. */
  map(count: number, sink = this.sink): void {
    sink.byte(0x80 | count);
  }

  /** A time as the extension type 5: seconds (signed, 8 bytes), nanoseconds (4 bytes), the greatest byte first. */
  time(ns: bigint, sink = this.sink): void {
    const nanoseconds = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
    sink.reserve(TIME_BYTES);
    const { bytes, length } = sink;
    bytes[length] = 0xc7;
    bytes[length + 1] = 12;
    bytes[length + 2] = 5;
    bytes.writeBigInt64BE((ns - nanoseconds) / SECOND_NS, length + 3);
    bytes.writeUInt32BE(Number(nanoseconds), length + 11);
    sink.length += TIME_BYTES;
  }

  /** A statement with so many members after its id. */
  statement(id: number, others: number): void {
    this.map(1 + others);
    this.value('statement_id');
    this.value(BigInt(id));
  }

  /** A statement that was refused. */
  refusal(id: number, message: string): void {
    this.statement(id, 1);
    this.value('error');
    this.value(message);
  }

  /** A whole answer, or one of its chunks, begins. */
  results(count: number): void {
    this.map(1);
    this.value('results');
    this.array(count);
  }
}

/** Series as MessagePack: of one document, or a document for each slice. */
export class MessagePackSeriesWriter implements V1SeriesWriter {
  readonly #id: number;
  readonly #chunked: boolean;
  readonly #heldBytesMax: number;
  readonly #writer: MessagePackWriter;
  readonly #write: CellWriter;
  #names: readonly string[] = [];
  #cells: readonly { readonly index: number; readonly write: CellWriter }[] = [];
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
    this.#write = cellWriter(writer, style.epochNs);
    this.columns(shown);
  }

  columns(shown: readonly V1Column[]): void {
    this.#names = shown.map(({ column }) => column.name);
    this.#cells = shown.map(({ index }) => ({ index, write: this.#write }));
  }

  begin(series: V1Series): void {
    this.#series = series;
  }

  row(columns: readonly ResultVector[], row: number): void {
    this.#writer.array(this.#cells.length, this.#rows);
    for (const { index, write } of this.#cells) write(this.#rows, columns[index] as ResultVector, row);
    this.#rowCount++;
    if (this.#rows.length + this.#finished.length > this.#heldBytesMax) throw answerTooLarge(this.#heldBytesMax);
  }

  end(seriesGoesOn: boolean, more: boolean): void {
    const writer = this.#writer;
    if (this.#chunked) {
      writer.results(1);
      writer.statement(this.#id, more ? 2 : 1);
      writer.value('series');
      writer.array(1);
      this.#endSeries(writer.sink, seriesGoesOn);
      if (!more) return;
      writer.value('partial');
      writer.value(true);
      return;
    }
    this.#endSeries(this.#finished, false);
    this.#seriesCount++;
    if (more) return;
    writer.statement(this.#id, 1);
    writer.value('series');
    writer.array(this.#seriesCount);
    writer.sink.append(this.#finished.take());
  }

  #endSeries(sink: TextSink, partial: boolean): void {
    const writer = this.#writer;
    const { name, tags } = this.#series;
    writer.map(2 + (name === '' ? 0 : 1) + (tags.length > 0 ? 1 : 0) + (partial ? 1 : 0), sink);
    if (name !== '') {
      writer.value('name', sink);
      writer.value(name, sink);
    }
    if (tags.length > 0) {
      writer.value('tags', sink);
      writer.value(Object.fromEntries(tags.map(({ key, value }) => [key, value])), sink);
    }
    writer.value('columns', sink);
    writer.value(this.#names, sink);
    writer.value('values', sink);
    writer.array(this.#rowCount, sink);
    sink.append(this.#rows.take());
    if (partial) {
      writer.value('partial', sink);
      writer.value(true, sink);
    }
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

type CellWriter = (sink: TextSink, vector: ResultVector, row: number) => void;

/** Writes values of columns: integers with 64 bits, floats as floats, times as `epochNs` wants them. */
function cellWriter(writer: MessagePackWriter, epochNs: bigint | undefined): CellWriter {
  return (sink, vector, row) => {
    if (isNullAt(vector, row)) return writer.value(null, sink);
    switch (vector.kind) {
      case 'float64':
      case 'float32':
      case 'int64':
      case 'uint64':
      case 'duration':
        return writer.value(vector.data[row], sink);
      case 'int8':
      case 'int16':
      case 'int32':
      case 'uint8':
      case 'uint16':
      case 'uint32':
      case 'date':
        return writer.value(BigInt(vector.data[row] as number), sink);
      case 'boolean':
        return writer.value(vector.data[row] === 1, sink);
      case 'timestamp': {
        const ns = vector.data[row] as bigint;
        return epochNs === undefined ? writer.time(ns, sink) : writer.value(ns / epochNs, sink);
      }
      case 'string':
      case 'coded':
        return writer.value(textAt(vector, row), sink);
      default:
        throw new Error(`internal error: InfluxQL has no columns of the type ${vector.kind}`);
    }
  };
}
