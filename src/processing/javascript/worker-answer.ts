import { randomUUID } from 'node:crypto';
import { ANSWER_PIECE_BYTES, type AnswerHead } from '../calls/plugin-host.ts';
import type { WorkerResponse } from './messages.ts';
import { PluginResponse } from './plugin.ts';

/** A request plugin returned something that is no answer. */
export class UnsupportedAnswer extends Error {}

/** Hands a piece over; resolves with whether more is wanted. */
export type SendPiece = (head: AnswerHead, piece: Uint8Array) => Promise<boolean>;

/** Items of a body that is made piece by piece. */
type Items = Iterable<unknown> | AsyncIterable<unknown>;

/**
 * The HTTP answer that a returned value means. Bodies that are made piece by piece go through `send` when they get long; then nothing is left,
 * and the answer is undefined. Throws `UnsupportedAnswer`.
 */
export async function toResponse(returned: unknown, send: SendPiece): Promise<WorkerResponse | undefined> {
  if (PluginResponse.isOne(returned)) {
    const { body, headers, status } = returned;
    // After a status below 200 clients wait for the answer itself.
    if (!Number.isInteger(status) || status < 200 || status > 999) throw new UnsupportedAnswer(`invalid status code ${status}`);
    const part = bodyPart(body);
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const hasType = given.some(([name]) => name.toLowerCase() === 'content-type');
    return complete({ status, headers: hasType ? given : [['content-type', part.type], ...given] }, part.body, send);
  }
  if (returned instanceof Response) {
    return complete({ status: returned.status, headers: [...returned.headers] }, (returned.body as Items | null) ?? new Uint8Array(), send);
  }
  const { body, type } = bodyPart(returned);
  return complete({ status: 200, headers: [['content-type', type]] }, body, send);
}

function bodyPart(body: unknown): { readonly body: Uint8Array | Items; readonly type: string } {
  if (typeof body === 'string') return { body: Buffer.from(body), type: 'text/html' };
  if (body instanceof Uint8Array) return { body, type: 'application/octet-stream' };
  if (isMadeInPieces(body)) return { body, type: 'text/html' };
  if (typeof body === 'object' && body !== null) return { body: Buffer.from(json(body)), type: 'application/json' };
  throw new UnsupportedAnswer('Unsupported return type from JavaScript function');
}

/** Generators and asynchronous iterables; lists, maps and sets are values. */
function isMadeInPieces(body: unknown): body is Items {
  if (typeof body !== 'object' || body === null) return false;
  const { next } = body as { readonly next?: unknown };
  return Symbol.asyncIterator in body || (Symbol.iterator in body && typeof next === 'function');
}

async function complete(
  head: Pick<WorkerResponse, 'status' | 'headers'>,
  body: Uint8Array | Items,
  send: SendPiece,
): Promise<WorkerResponse | undefined> {
  if (body instanceof Uint8Array) return { ...head, body };
  const sent = { ...head, length: undefined };
  let held: Uint8Array[] = [];
  let bytes = 0;
  let isBegun = false;
  for await (const item of body) {
    const piece = itemBytes(item);
    held.push(piece);
    bytes += piece.length;
    if (bytes <= ANSWER_PIECE_BYTES) continue;
    isBegun = true;
    if (!(await send(sent, Buffer.concat(held)))) return undefined; // leaving the loop ends the generator
    held = [];
    bytes = 0;
  }
  if (!isBegun) return { ...head, body: Buffer.concat(held) };
  if (bytes > 0) await send(sent, Buffer.concat(held));
  return undefined;
}

function itemBytes(item: unknown): Uint8Array {
  if (typeof item === 'string') return Buffer.from(item);
  if (item instanceof Uint8Array) return item;
  throw new UnsupportedAnswer(`A piece of an answer is a string or a Uint8Array, not ${item === null ? 'null' : typeof item}`);
}

/** Marks texts that are whole numbers; no text of a plugin has it. */
const MARK = randomUUID();
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/** Integers beyond 2^53 keep all their digits. */
function json(value: unknown): string {
  const replacer = (_key: string, item: unknown): unknown => (typeof item === 'bigint' ? `${MARK}${item}` : item);
  return JSON.stringify(value, replacer).replace(MARKED, '$1');
}
