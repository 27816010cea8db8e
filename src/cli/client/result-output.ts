import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type CliIo, write } from '../io.ts';
import type { ApiAnswer } from './api-client.ts';
import { CommandFailure } from './failure.ts';
import { TableFitter } from './fit-table.ts';

/** Prints a result as it arrives: raw bytes for Parquet, else the text and one newline. */
export async function printResult(answer: ApiAnswer, format: string, io: CliIo): Promise<void> {
  if (format === 'parquet' && io.stdout.isTTY === true) {
    throw new CommandFailure('cannot write parquet to a terminal, use `--output <file>` or pipe the output');
  }
  const { columns } = io.stdout;
  if (format === 'pretty' && io.stdout.isTTY === true && columns !== undefined && columns > 0) {
    await printFitting(answer.body, io, columns);
    return;
  }
  for await (const chunk of answer.body) await write(io.stdout, chunk);
  if (format !== 'parquet') await write(io.stdout, '\n');
}

async function printFitting(body: AsyncIterable<Uint8Array>, io: CliIo, columns: number): Promise<void> {
  const fitter = new TableFitter(columns);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) await write(io.stdout, lines.map((line) => `${fitter.line(line)}\n`).join(''));
  }
  await write(io.stdout, `${fitter.line(rest)}\n`);
  if (fitter.isCut)
    await write(io.stderr, '  hint: cut to the width of the terminal; a wider one, a pipe (| less -S) or --format csv shows all of it\n');
}

/** Writes the bytes of a result to a file that is created or emptied. */
export async function saveResult(answer: ApiAnswer, path: string): Promise<void> {
  await pipeline(Readable.from(answer.body), createWriteStream(path));
}
