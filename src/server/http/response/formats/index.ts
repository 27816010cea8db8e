import { ArrowStreamEncoder } from './arrow.ts';
import { CsvEncoder } from './csv.ts';
import type { EncoderFactory, FormatName } from './encoder.ts';
import { JsonEncoder } from './json.ts';
import { PrettyEncoder } from './pretty.ts';

export type { FormatName, ResultEncoder } from './encoder.ts';
export { TextSink } from './text-sink.ts';

/** Makes the encoder of each format. */
export const encoders: Readonly<Record<FormatName, EncoderFactory>> = {
  json: (columns, sink) => new JsonEncoder(columns, sink, 'array'),
  jsonl: (columns, sink) => new JsonEncoder(columns, sink, 'lines'),
  csv: (columns, sink) => new CsvEncoder(columns, sink),
  arrow: (columns, sink) => new ArrowStreamEncoder(columns, sink),
  pretty: (columns, sink) => new PrettyEncoder(columns, sink),
};
