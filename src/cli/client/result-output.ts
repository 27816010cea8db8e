import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type CliIo, write } from '../io.ts';
import type { ApiAnswer } from './api-client.ts';
import { CommandFailure } from './failure.ts';

/** Prints a result as it arrives: raw bytes for Parquet, else the text and one newline. */
export async function printResult(answer: ApiAnswer, format: string, io: CliIo): Promise<void> {
  if (format === 'parquet' && io.stdout.isTTY === true) {
    throw new CommandFailure('cannot write parquet to a terminal, use `--output <file>` or pipe the output');
  }
  for await (const chunk of answer.body) await write(io.stdout, chunk);
  if (format !== 'parquet') await write(io.stdout, '\n');
}

/** Writes the bytes of a result to a file that is created or emptied. */
export async function saveResult(answer: ApiAnswer, path: string): Promise<void> {
  await pipeline(Readable.from(answer.body), createWriteStream(path));
}
