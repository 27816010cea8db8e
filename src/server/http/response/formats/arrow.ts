import type { ResultBatch, ResultColumn } from '../../../../query/result.ts';
import { arrowSchema } from '../../../../query/results/index.ts';
import { END_OF_STREAM, encapsulated, schemaMessage } from '../../../../shared/arrow/schema-message.ts';
import { BatchRanges } from '../../../arrow/batch-ranges.ts';
import { type BatchRange, RecordBatchWriter } from '../../../arrow/record-batch.ts';
import type { ResultEncoder } from './encoder.ts';
import type { TextSink } from './text-sink.ts';

/** Writes a result as Arrow's IPC stream. */
export class ArrowStreamEncoder implements ResultEncoder {
  readonly sink: TextSink;
  readonly #ranges: BatchRanges;
  readonly #writer: RecordBatchWriter;
  /** Where each record batch is made; the sink gets a copy. */
  #memory: Buffer | undefined;

  constructor(columns: readonly ResultColumn[], sink: TextSink) {
    this.sink = sink;
    this.#writer = new RecordBatchWriter(columns);
    this.#ranges = new BatchRanges(this.#writer.codes);
    sink.append(encapsulated(schemaMessage(arrowSchema(columns))));
  }

  batch(batch: ResultBatch): void {
    for (const ranges of this.#ranges.add(batch)) this.#write(ranges);
  }

  end(): void {
    const rest = this.#ranges.rest();
    if (rest.length > 0) this.#write(rest);
    this.sink.append(END_OF_STREAM);
  }

  #write(ranges: readonly BatchRange[]): void {
    const { header, body, memory } = this.#writer.write(ranges, this.#memory);
    this.#memory = memory;
    this.sink.append(encapsulated(header));
    this.sink.append(body);
  }
}
