import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { QueryResult, ResultBatch } from '../../../query/result.ts';
import { encoders, type FormatName, type ResultEncoder, TextSink } from './formats/index.ts';

/** Output is handed to the socket in pieces of about this size. */
const PIECE_BYTES = 64 * 1024;

const contentTypes: Readonly<Record<FormatName, string>> = {
  json: 'application/json',
  jsonl: 'application/jsonl',
  csv: 'text/csv',
  arrow: 'application/vnd.apache.arrow.stream',
  pretty: 'text/plain; charset=utf-8',
};

/**
 * Sends a result. Short answers go out whole; longer ones stream with back-pressure, and a client
 * that leaves cancels the query. A failure before the first piece still becomes a status code; a later one cuts the
 * connection.
 */
export async function sendResult(reply: FastifyReply, result: QueryResult, format: FormatName): Promise<FastifyReply> {
  const onClose = (): void => {
    if (!reply.raw.writableEnded) result.cancel();
  };
  reply.raw.on('close', onClose);
  const sink = new TextSink();
  const encoder = encoders[format](result.columns, sink);
  const batches = result.batches()[Symbol.asyncIterator]();
  const first = await nextPiece(batches, encoder, format === 'pretty' ? Number.POSITIVE_INFINITY : PIECE_BYTES).catch(
    async (error: unknown) => {
      result.cancel();
      await batches.return?.();
      throw error;
    },
  );
  reply.header('content-type', contentTypes[format]);
  if (first.last) return reply.send(first.bytes);
  return reply.send(Readable.from(pieces(batches, encoder, first.bytes, result), { objectMode: false, highWaterMark: PIECE_BYTES }));
}

async function* pieces(
  batches: AsyncIterator<ResultBatch>,
  encoder: ResultEncoder,
  first: Buffer,
  result: QueryResult,
): AsyncGenerator<Buffer, void, void> {
  let done = false;
  try {
    yield first;
    while (!done) {
      const piece = await nextPiece(batches, encoder, PIECE_BYTES);
      done = piece.last;
      if (piece.bytes.length > 0) yield piece.bytes;
    }
  } finally {
    if (!done) {
      result.cancel();
      await batches.return?.();
    }
  }
}

async function nextPiece(
  batches: AsyncIterator<ResultBatch>,
  encoder: ResultEncoder,
  sizeBytes: number,
): Promise<{ bytes: Buffer; last: boolean }> {
  while (encoder.sink.length < sizeBytes) {
    const step = await batches.next();
    if (step.done === true) {
      encoder.end();
      return { bytes: encoder.sink.take(), last: true };
    }
    encoder.batch(step.value);
  }
  return { bytes: encoder.sink.take(), last: false };
}
