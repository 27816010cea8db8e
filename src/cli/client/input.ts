import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
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
