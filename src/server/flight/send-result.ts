import type { QueryResult, ResultBatch, ResultColumn } from '../../query/result.ts';
import { schemaMessage } from '../../shared/arrow/schema-message.ts';
import { systemTimers } from '../../shared/timers.ts';
import { arrowSchema } from '../arrow/arrow-fields.ts';
import { BatchRanges } from '../arrow/batch-ranges.ts';
import { type RecordBatchMessage, RecordBatchWriter } from '../arrow/record-batch.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';
import { flightDataHead, NO_BYTES } from './protobuf/messages.ts';

/** A client hears something at least this often while its query runs, ms. */
export const KEEP_ALIVE_MS = 5000;

/** Sends results as FlightData: the schema, then record batches, with empty ones while there is nothing to send. */
export class ResultSender {
  readonly #call: GrpcCall;
  readonly #keepAliveMs: number;
  #writer: RecordBatchWriter | undefined;

  constructor(call: GrpcCall, keepAliveMs = KEEP_ALIVE_MS) {
    this.#call = call;
    this.#keepAliveMs = keepAliveMs;
  }

  /** The first message; must come before all others, once. */
  async schema(columns: readonly ResultColumn[], metadata?: ReadonlyMap<string, string>): Promise<void> {
    if (this.#writer !== undefined) return;
    this.#writer = new RecordBatchWriter(columns);
    await this.message({ header: schemaMessage(arrowSchema(columns, metadata)), body: NO_BYTES });
  }

  /** All rows of a result, after its schema. Throws what the result throws; cancels it when the client leaves. */
  async rows(result: QueryResult): Promise<void> {
    const ranges = new BatchRanges();
    const batches = result.batches()[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.awaited(batches.next());
        if (step.done === true) break;
        await this.#send(ranges.add(step.value as ResultBatch));
      }
      const rest = ranges.rest();
      if (rest.length > 0) await this.message(this.#write(rest));
    } catch (error) {
      result.cancel();
      throw error;
    } finally {
      await batches.return?.();
    }
  }

  /**
   * Waits for something, and sends meanwhile empty record batches, or first the schema of the columns that `columns` gives.
   * What fails of that is left to the query itself, which fails for the same reason.
   */
  async awaited<T>(pending: Promise<T>, columns?: () => Promise<readonly ResultColumn[]>): Promise<T> {
    let beat = Promise.resolve();
    let beating = false;
    const send = async (): Promise<void> => {
      try {
        if (this.#writer !== undefined) await this.message(this.#write([]));
        else if (columns !== undefined) await this.schema(await columns());
      } catch {
        cancel();
      }
      beating = false;
    };
    const cancel = systemTimers.every(this.#keepAliveMs, () => {
      if (beating) return;
      beating = true;
      beat = send();
    });
    try {
      return await pending;
    } finally {
      cancel();
      await beat;
    }
  }

  /** One FlightData. */
  message({ header, body }: { readonly header: Uint8Array; readonly body: Uint8Array }): Promise<void> {
    const head = flightDataHead(header, body.length);
    return body.length === 0 ? this.#call.send(head) : this.#call.send(head, body);
  }

  async #send(parts: Iterable<Parameters<RecordBatchWriter['write']>[0]>): Promise<void> {
    for (const ranges of parts) await this.message(this.#write(ranges));
  }

  #write(ranges: Parameters<RecordBatchWriter['write']>[0]): RecordBatchMessage {
    if (this.#writer === undefined) throw new Error('internal error: rows before their schema');
    return this.#writer.write(ranges);
  }
}
