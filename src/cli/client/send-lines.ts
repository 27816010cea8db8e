import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ApiClient } from './api-client.ts';
import { type Piece, rowLines } from './cut-lines.ts';
import { ApiError } from './failure.ts';
import { type BadLine, BadLines, badLinesOf } from './line-errors.ts';

export interface SendOptions {
  readonly database: string;
  readonly precision: string | undefined;
  readonly acceptPartial: boolean;
  readonly noSync: boolean;
  readonly gzip: boolean;
  readonly requestBytesMax: number;
  readonly requestsMax: number;
  /** Goes on after lines that the server refuses, instead of ending behind the first request that has some. */
  readonly goOn: boolean;
  /** Called with the bad lines of a request. */
  onBad?(bad: readonly BadLine[]): Promise<void>;
  /** Called after each request. */
  onProgress?(sent: SentLines): Promise<void>;
  /** Called when all of the input up to a place has been answered. */
  onSettled?(piece: Piece, sent: SentLines): Promise<void>;
}

/** What became of an input. */
export interface SentLines {
  requests: number;
  /** Lines of the input in requests that were answered. */
  lines: number;
  bytes: number;
  /** Rows that the server stored. */
  rowsStored: number;
  /** Last line of the input that was sent. */
  lastLine: number;
  readonly bad: BadLines;
}

/** A request that failed for another reason than its lines. */
export class SendFailure extends Error {
  readonly sent: SentLines;
  readonly piece: Piece;

  constructor(cause: unknown, piece: Piece, sent: SentLines) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'SendFailure';
    this.piece = piece;
    this.sent = sent;
  }
}

const zip = promisify(gzip);

/**
 * Sends the input in requests that end at line ends, several at once. Lines that the server refuses are counted and the first
 * ones kept. Any other failure ends it, once the requests under way are answered: throws `SendFailure`.
 */
export async function sendLines(client: ApiClient, pieces: AsyncIterable<Piece>, options: SendOptions): Promise<SentLines> {
  const sent: SentLines = { requests: 0, lines: 0, bytes: 0, rowsStored: 0, lastLine: 0, bad: new BadLines() };
  const active = new Set<Promise<void>>();
  const order = new SettledOrder();
  let failure: SendFailure | undefined;
  let stop = false;
  const send = async (piece: Piece): Promise<void> => {
    const bad = await postLines(client, piece, options);
    sent.requests += 1;
    sent.lines += piece.lineCount;
    sent.bytes += piece.body.length;
    sent.rowsStored += (piece.sourceLines?.length ?? rowLines(piece.body).length) - bad.length;
    sent.bad.add(bad);
    if (bad.length > 0) await options.onBad?.(bad);
    if (bad.length > 0 && !options.goOn) stop = true;
    await options.onProgress?.(sent);
    const settled = order.settle(piece);
    if (settled !== undefined) await options.onSettled?.(settled, sent);
  };
  for await (const piece of pieces) {
    order.begin(piece);
    sent.lastLine = piece.firstLine + piece.lineCount - 1;
    const request = send(piece)
      .catch((error: unknown) => {
        failure ??= new SendFailure(error, piece, sent);
      })
      .finally(() => active.delete(request));
    active.add(request);
    if (active.size >= options.requestsMax) await Promise.race(active);
    if (failure !== undefined || stop) break;
  }
  await Promise.all(active);
  if (failure !== undefined) throw failure;
  return sent;
}

/** Sends one body. Answers with the lines that the server refused; throws what the client throws for other failures. */
async function postLines(client: ApiClient, piece: Piece, options: SendOptions): Promise<BadLine[]> {
  const { body } = piece;
  const request = {
    method: 'POST',
    path: '/api/v3/write_lp',
    query: {
      db: piece.database ?? options.database,
      precision: options.precision,
      accept_partial: options.acceptPartial ? 'true' : undefined,
      no_sync: options.noSync ? 'true' : undefined,
    },
    body: options.gzip ? await zip(body) : body,
    ...(options.gzip ? { headers: { 'content-encoding': 'gzip' } } : undefined),
  } as const;
  try {
    await client.fetch(request);
    return [];
  } catch (error) {
    const bad = error instanceof ApiError ? badLinesOf(error.body, piece) : undefined;
    if (bad === undefined) throw error;
    return bad;
  }
}

/** Pieces in the order of the input: tells up to where all are answered. */
class SettledOrder {
  readonly #waiting: { piece: Piece; settled: boolean }[] = [];

  begin(piece: Piece): void {
    this.#waiting.push({ piece, settled: false });
  }

  /** The last piece up to which all are answered now; undefined when that is no news. */
  settle(piece: Piece): Piece | undefined {
    const entry = this.#waiting.find((waiting) => waiting.piece === piece);
    if (entry !== undefined) entry.settled = true;
    let last: Piece | undefined;
    for (let first = this.#waiting[0]; first?.settled === true; first = this.#waiting[0]) {
      last = first.piece;
      this.#waiting.shift();
    }
    return last;
  }
}
