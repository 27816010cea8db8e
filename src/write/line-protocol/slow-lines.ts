import type { SchemaTransaction } from '../../catalog/schema.ts';
import { dataStart, logicalLineEnd } from '../../shared/logical-lines.ts';
import { LineProtocolError } from './errors.ts';
import type { ParseOptions } from './line-parser.ts';
import { fitLine } from './line-schema.ts';
import { parseLine } from './line-syntax.ts';
import { originalLine, renderedLine } from './line-text.ts';
import type { NameCache } from './name-cache.ts';
import type { RowWriter } from './row-writer.ts';
import { defaultTimeNs } from './timestamp.ts';
import type { LineError } from './types.ts';

/** Takes the lines of one body that the hot loop gave back: whole grammar, schema additions, every error. */
export class SlowLines {
  /** Rows accepted here, and the bytes of their lines without line ends. */
  rows = 0;
  bytes = 0;
  readonly errors: LineError[] = [];
  readonly #body: Buffer;
  readonly #transaction: SchemaTransaction;
  readonly #options: ParseOptions;
  readonly #defaultTimeNs: bigint;
  readonly #writer: RowWriter;
  readonly #names: NameCache;

  constructor(body: Uint8Array, transaction: SchemaTransaction, options: ParseOptions, writer: RowWriter, names: NameCache) {
    this.#body = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#transaction = transaction;
    this.#options = options;
    this.#defaultTimeNs = defaultTimeNs(options.ingestTimeNs, options.precision);
    this.#writer = writer;
    this.#names = names;
  }

  /** Takes the logical line at `start`, `fastRows` lines having been taken by the hot loop. Returns where the next begins. */
  take(start: number, fastRows: number): number {
    const body = this.#body;
    const end = logicalLineEnd(body, start);
    const data = dataStart(body, start, end);
    if (data === end) return end + 1;
    const line = parseLine(body, data, end, this.#names);
    if (typeof line === 'string') {
      this.#refuse(line, fastRows, originalLine(body, start, data));
      return end + 1;
    }
    const fitting = fitLine(line, this.#transaction, this.#options.precision);
    if (typeof fitting === 'string') {
      this.#refuse(fitting, fastRows, renderedLine(line));
      return end + 1;
    }
    // Once something is staged the body will be parsed again and only its errors matter.
    if (!this.#transaction.changed) this.#writer.write(line, fitting.timeNs ?? this.#defaultTimeNs);
    this.rows++;
    this.bytes += end - data;
    return end + 1;
  }

  #refuse(errorMessage: string, fastRows: number, originalLine: string): void {
    const lineNumber = fastRows + this.rows + this.errors.length + 1;
    const error: LineError = { errorMessage, lineNumber, originalLine };
    if (!this.#options.acceptPartial) throw new LineProtocolError(error);
    this.errors.push(error);
  }
}
