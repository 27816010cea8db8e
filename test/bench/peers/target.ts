import type { Answer } from './answer.ts';
import type { Question } from './questions.ts';

/** A request of the benchmark. */
export interface BenchRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
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
  answer(body: string, question: Question): Answer;
}
