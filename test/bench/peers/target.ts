import type { Question } from './questions.ts';

/** A request of the benchmark. */
export interface BenchRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

/** An answer reduced to what every server can be held against. */
export interface Answer {
  readonly rows: number;
  readonly sum: number;
}

/** A server that the benchmark knows how to start, fill and ask. */
export interface Target {
  readonly name: string;
  /** What an acknowledged write means there. */
  readonly durability: string;
  /** Debian package that has the program; undefined = it is ours. */
  readonly debian: { readonly program: string; readonly packageName: string } | undefined;
  command(dir: string, port: number): { readonly program: string; readonly args: readonly string[] };
  readonly readyPath: string;
  /** Sent once before the first write. */
  readonly prepare: BenchRequest | undefined;
  writePath(noSync: boolean): string;
  /** Undefined when the question cannot be asked there. */
  ask(question: Question): BenchRequest | undefined;
  /** Throws when the body is not an answer. */
  answer(body: string): Answer;
}

/** Counts rows and sums their numbers. */
export function fold(rows: Iterable<Iterable<unknown>>): Answer {
  let count = 0;
  let sum = 0;
  for (const row of rows) {
    count++;
    for (const cell of row) if (typeof cell === 'number') sum += cell;
  }
  return { rows: count, sum };
}

/** Sums differ in their last digits when they are added in another order. */
export function sameAnswer(a: Answer, b: Answer): boolean {
  return a.rows === b.rows && Math.abs(a.sum - b.sum) <= 1e-6 * Math.max(1, Math.abs(a.sum));
}
