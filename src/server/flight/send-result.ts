import type { QueryResult, ResultColumn } from '../../query/result.ts';
import { arrowSchema } from '../../query/results/index.ts';
import { schemaMessage } from '../../shared/arrow/schema-message.ts';
import { type CancelTimer, systemTimers } from '../../shared/timers.ts';
import { BatchRanges } from '../arrow/batch-ranges.ts';
import { type BatchRange, RecordBatchWriter } from '../arrow/record-batch.ts';
import { HEAD_BYTES, messageHead } from './grpc/frames.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';
import { MessageMemory } from './message-memory.ts';
import { flightDataHead, flightDataHeadBytesMax } from './protobuf/messages.ts';

/** A client hears something at least this often while its query runs, ms. */
export const KEEP_ALIVE_MS = 5000;

/** Bodies of record batches begin at multiples of this in memory, bytes. */
const ALIGNMENT = 8;

/**
 * Sends a result as FlightData: the schema, then record batches, with empty ones while there is nothing to send.
 *
 * Shared by: the query and the timer. The timer sends only while the query is awaited, and the query goes on only when what the
 * timer sends is sent.
 */
export class ResultSender {
  readonly #call: GrpcCall;
  readonly #keepAliveMs: number;
  readonly #memory = new MessageMemory();
  #writer: RecordBatchWriter | undefined;
  #schema: Buffer | undefined;
  /** Room for what stands before the body of a record batch. */
  #front = 0;
  #cancelTimer: CancelTimer | undefined;
  /** Something was sent since the timer looked. */
  #heard = false;
  #waiting = false;
  #columns: (() => Promise<readonly ResultColumn[]>) | undefined;
  #beat: Promise<void> | undefined;

  constructor(call: GrpcCall, keepAliveMs = KEEP_ALIVE_MS) {
    this.#call = call;
    this.#keepAliveMs = keepAliveMs;
  }

  /** Tells how the columns of the result can be had before it is there. */
  planned(columns: () => Promise<readonly ResultColumn[]>): void {
    this.#columns = columns;
  }

  /** The first message; must come before all others. Does nothing when the same schema was sent already. */
  async schema(columns: readonly ResultColumn[], metadata?: ReadonlyMap<string, string>): Promise<void> {
    const schema = schemaMessage(arrowSchema(columns, metadata));
    if (this.#schema !== undefined) {
      if (!this.#schema.equals(schema)) throw new Error('internal error: the columns of a result are not those that it was described with');
      return;
    }
    this.#schema = schema;
    this.#writer = new RecordBatchWriter(columns);
    const frontBytes = HEAD_BYTES + flightDataHeadBytesMax(this.#writer.headerBytes);
    this.#front = Math.ceil(frontBytes / ALIGNMENT) * ALIGNMENT;
    this.#heard = true;
    await this.#call.send(flightDataHead(schema, 0));
  }

  /** All rows of a result, after its schema. Throws what the result throws; cancels it when the client leaves. */
  async rows(result: QueryResult): Promise<void> {
    const ranges = new BatchRanges(this.#openWriter.codes);
    const batches = result.batches()[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.awaited(batches.next());
        if (step.done === true) break;
        for (const parts of ranges.add(step.value)) await this.#recordBatch(parts);
      }
      const rest = ranges.rest();
      if (rest.length > 0) await this.#recordBatch(rest);
    } catch (error) {
      result.cancel();
      throw error;
    } finally {
      await batches.return?.();
    }
  }

  /**
   * Waits for something. When nothing was sent for a while, an empty record batch is, or first the schema of a query that is
   * planned. What fails of that is left to the query itself, which fails for the same reason.
   */
  async awaited<T>(pending: Promise<T>): Promise<T> {
    this.#cancelTimer ??= systemTimers.every(this.#keepAliveMs / 2, () => this.#look());
    this.#waiting = true;
    try {
      return await pending;
    } finally {
      this.#waiting = false;
      if (this.#beat !== undefined) await this.#beat;
    }
  }

  /** Nothing is awaited any more. */
  stop(): void {
    this.#cancelTimer?.();
  }

  #look(): void {
    const heard = this.#heard;
    this.#heard = false;
    if (heard || !this.#waiting || this.#beat !== undefined) return;
    this.#beat = this.#sendSomething().then(
      () => {
        this.#beat = undefined;
      },
      () => {
        this.#beat = undefined;
        this.stop();
      },
    );
  }

  async #sendSomething(): Promise<void> {
    if (this.#writer !== undefined) await this.#recordBatch([]);
    else if (this.#columns !== undefined) await this.schema(await this.#columns());
  }

  /** One FlightData with a record batch, made where it is sent from. */
  #recordBatch(ranges: readonly BatchRange[]): Promise<void> {
    const writer = this.#openWriter;
    const front = this.#front;
    const { header, body, memory } = writer.write(ranges, this.#memory.take(front + writer.bodyBytesMax(ranges)), front);
    const head = flightDataHead(header, body.length);
    const start = front - head.length - HEAD_BYTES;
    messageHead(head.length + body.length).copy(memory, start);
    head.copy(memory, start + HEAD_BYTES);
    this.#heard = true;
    return this.#call.sendFramed(memory.subarray(start, front + body.length), () => this.#memory.give(memory));
  }

  get #openWriter(): RecordBatchWriter {
    if (this.#writer === undefined) throw new Error('internal error: rows before their schema');
    return this.#writer;
  }
}
