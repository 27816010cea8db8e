import { createInterface } from 'node:readline';
import { type CliIo, write } from '../io.ts';
import { CommandFailure } from './failure.ts';

/** Asks and reads one line of standard input; the end of input gives an empty line. */
export async function askLine(io: CliIo, question: string, to: 'stdout' | 'stderr'): Promise<string> {
  await write(io[to], `${question}\n`);
  const lines = createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) return line.trim();
    return '';
  } finally {
    lines.close();
  }
}

/** Goes on only after `yes` or `y`. Throws `CommandFailure`. */
export async function confirmDelete(io: CliIo, what: string): Promise<void> {
  const answer = await askLine(io, `Are you sure you want to delete ${what}? Enter 'yes' or 'y' to confirm`, 'stderr');
  if (!['yes', 'y'].includes(answer.toLowerCase())) {
    throw new CommandFailure('Cannot proceed without confirmation', { hint: 'answer yes, or use --yes in scripts' });
  }
}

/** A name as Rust prints it in debug form: quoted, with escapes. */
export function quoted(name: string): string {
  return JSON.stringify(name);
}
