import type { ResultBatch, ResultColumn } from '../../../../query/result.ts';
import type { TextSink } from './text-sink.ts';

/** Names of the output formats, as the `format` parameter spells them; `arrow` = Arrow's IPC stream, which only `Accept` asks for. */
export type FormatName = 'json' | 'jsonl' | 'csv' | 'pretty' | 'arrow';

/** Turns a result into text or bytes, batch by batch. Not reusable. */
export interface ResultEncoder {
  readonly sink: TextSink;
  /** Appends the rows of a batch to the sink. */
  batch(batch: ResultBatch): void;
  /** Appends what follows the last row. */
  end(): void;
}

export type EncoderFactory = (columns: readonly ResultColumn[], sink: TextSink) => ResultEncoder;
