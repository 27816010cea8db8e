import type { Random } from '../random.ts';
import { bytesOf, type Message, randomMessage } from './message.ts';
import { mutateBytes, mutateMessage } from './mutations.ts';

/** What one client sends on one connection, and how it leaves. */
export interface ByteStream {
  readonly pieces: readonly Buffer[];
  /** `open`: stays connected. `fin`: ends its side. `reset`: is gone at once. */
  readonly ending: 'open' | 'fin' | 'reset';
  /** Turns of the event loop that a stored write takes to be answered. */
  readonly answerTurns: number;
  /** Whether a piece is sent only after the server has done all that the one before it asked for. */
  readonly slow: boolean;
}

/** A complete write to a name of its own: what comes of it shows where the server saw the bytes before it end. */
const SENTINEL: Buffer = Buffer.from('POST /write?db=sentinel HTTP/1.1\r\nHost: z\r\nContent-Length: 7\r\n\r\ns f=1 1');

/** A stream of one to three requests, mostly spoiled somewhere, in one of many packetisations. */
export function randomStream(random: Random): ByteStream {
  const count = random.chance(0.7) ? 1 : 1 + random.below(3);
  const messages = Array.from({ length: count }, () => spoiled(random));
  let bytes: Buffer = Buffer.concat(messages.map(bytesOf));
  for (let i = random.chance(0.3) ? 1 + random.below(2) : 0; i > 0; i--) bytes = mutateBytes(random, bytes);
  const cut = random.chance(0.15);
  if (cut) bytes = bytes.subarray(0, random.below(bytes.length + 1));
  const firstHead = Math.max(0, bytes.indexOf('\r\n\r\n'));
  const tail = random.chance(cut ? 0.2 : 0.6) ? [SENTINEL] : [];
  const pieces = random.chance(0.4)
    ? packets(random, Buffer.concat([bytes, ...tail]), firstHead)
    : [...(random.chance(0.3) ? messages.map(bytesOf) : packets(random, bytes, firstHead)), ...tail];
  const ending = random.pick(['open', 'open', 'fin', 'fin', 'reset'] as const);
  return { pieces, ending, answerTurns: random.chance(0.6) ? 0 : 1 + random.below(30), slow: random.chance(0.6) };
}

/** Bodies of pipelined writes, up to this many and this large. */
const LARGE_WRITES_MAX = 6;
const LARGE_BODY_BYTES_MAX = 150_000;

/** Well-formed writes, small ones and ones that no read of a socket holds, in pieces of any size, most sent before any answer. */
export function largeStream(random: Random): { readonly stream: ByteStream; readonly bodies: readonly Buffer[] } {
  const bodies = Array.from({ length: 2 + random.below(LARGE_WRITES_MAX - 1) }, (_, i) => {
    const size = random.chance(0.4) ? random.below(100) : random.below(LARGE_BODY_BYTES_MAX);
    return Buffer.from(Array.from({ length: Math.ceil(size / 8) }, (_word, n) => `${i}.${n}`.padEnd(8)).join(''));
  });
  const writes = bodies.map((body) =>
    Buffer.concat([Buffer.from(`POST /write?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
  );
  const bytes = Buffer.concat(writes);
  const ends = Array.from({ length: random.below(12) }, () => random.below(bytes.length)).sort((a, b) => a - b);
  const pieces = random.chance(0.5) ? writes : cutAt(bytes, ends);
  return { stream: { pieces, ending: 'open', answerTurns: random.below(25), slow: random.chance(0.2) }, bodies };
}

function spoiled(random: Random): Message {
  const message = randomMessage(random);
  for (let i = random.chance(0.8) ? 1 + random.below(2) : 0; i > 0; i--) mutateMessage(random, message);
  return message;
}

/** Bytes above this are not sent one by one. */
const BYTEWISE_MAX = 400;

function packets(random: Random, bytes: Buffer, headEnd: number): Buffer[] {
  const kind = random.below(10);
  if (kind < 4) return [bytes];
  if (kind < 6) return cutAt(bytes, [headEnd + random.below(6)]);
  if (kind === 6 && bytes.length <= BYTEWISE_MAX) return Array.from(bytes, (byte) => Buffer.from([byte]));
  if (kind === 7)
    return cutAt(
      bytes,
      Array.from({ length: Math.min(60, bytes.length - headEnd) }, (_, i) => headEnd + 4 + i),
    );
  return cutAt(
    bytes,
    Array.from({ length: 1 + random.below(4) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b),
  );
}

/** The bytes in pieces that end at `ends`, without empty ones. */
export function cutAt(bytes: Buffer, ends: readonly number[]): Buffer[] {
  const edges = [0, ...ends, bytes.length];
  return edges.map((edge, i) => bytes.subarray(edges[i - 1] ?? 0, edge)).filter((piece) => piece.length > 0);
}

/** A stream as text for a failure message. */
export function describeStream({ pieces, ending, answerTurns, slow }: ByteStream): string {
  const shown = pieces.map((piece) => JSON.stringify(piece.toString('latin1'))).join(' | ');
  return `${shown.length > 3000 ? `${shown.slice(0, 3000)}..` : shown} (${ending}, answered after ${answerTurns} turns${slow ? ', slowly' : ''})`;
}
