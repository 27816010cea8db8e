import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { CliIo } from '../io.ts';
import { CommandFailure } from './failure.ts';

/** Where the text of `query` and `write` comes from: the word, else the file, else standard input that is not a terminal. */
export type InputSource =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdin' };

/** Chooses the source. Throws `CommandFailure` with `nothing` when there is none. */
export function chooseInput(given: { word: string | undefined; file: string | undefined }, io: CliIo, nothing: string): InputSource {
  if (given.word !== undefined) return { kind: 'word', text: given.word };
  if (given.file !== undefined) return { kind: 'file', path: given.file };
  if (io.stdin.isTTY !== true) return { kind: 'stdin' };
  throw new CommandFailure(nothing);
}

/** The bytes of a source, in pieces. Fails before the first piece when a file cannot be opened. */
export async function openInput(source: InputSource, io: CliIo): Promise<AsyncIterable<Buffer>> {
  switch (source.kind) {
    case 'word':
      return pieces([Buffer.from(source.text)]);
    case 'stdin':
      return io.stdin as AsyncIterable<Buffer>;
    case 'file': {
      const file = await open(source.path, 'r');
      return createReadStream(source.path, { fd: file, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
    }
  }
}

/** An input that is read through, unzipped if need be. */
export interface MeasuredInput {
  readonly bytes: AsyncIterable<Buffer>;
  /** Bytes of the source; undefined while nobody knows, as for standard input. */
  readonly total: number | undefined;
  /** True once its first bytes showed that it is zipped; `bytes` are unzipped then. */
  zipped(): boolean;
  /** Bytes of the source that were read so far. */
  read(): number;
}

/** Opens a source whose gzip (`.gz`, whatever its name) is unzipped. A damaged one throws `CommandFailure` while it is read. */
export async function openMeasured(source: InputSource, io: CliIo): Promise<MeasuredInput> {
  const total =
    source.kind === 'file' ? (await stat(source.path)).size : source.kind === 'word' ? Buffer.byteLength(source.text) : undefined;
  const input = await openInput(source, io);
  let read = 0;
  let zipped = false;
  const counted = async function* (): AsyncIterable<Buffer> {
    for await (const chunk of input) {
      read += chunk.length;
      yield chunk;
    }
  };
  const bytes = async function* (): AsyncIterable<Buffer> {
    const iterator = counted()[Symbol.asyncIterator]();
    const head = await firstBytes(iterator, GZIP_MAGIC.length);
    zipped = head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC);
    const all = joined(head, iterator);
    yield* zipped ? unzipped(all) : all;
  };
  return { bytes: bytes(), total, zipped: () => zipped, read: () => read };
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

async function firstBytes(iterator: AsyncIterator<Buffer>, count: number): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < count) {
    const next = await iterator.next();
    if (next.done === true) return head;
    head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* joined(head: Buffer, iterator: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

async function* unzipped(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip();
  const fed = pipeline(Readable.from(bytes), gunzip);
  fed.catch(() => undefined); // it is thrown where the unzipped bytes are read
  try {
    yield* gunzip;
    await fed;
  } catch (error) {
    throw new CommandFailure(`the gzip data is damaged or cut off: ${(error as Error).message}`, {
      hint: 'gzip -t <file> says the same of a damaged file; what stands before the fault was sent',
      cause: error,
    });
  }
}

/** Everything of a source as UTF-8 text. Throws `CommandFailure` for other bytes. */
export async function readInputText(source: InputSource, io: CliIo): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await openInput(source, io)) chunks.push(Buffer.from(chunk));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw new CommandFailure('io error: stream did not contain valid UTF-8', { cause: error });
  }
}

async function* pieces(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  yield* chunks;
}
