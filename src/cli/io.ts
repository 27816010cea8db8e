import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config/index.ts';

/** Everything of the process that a command may touch; tests bring their own. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** `columns` = width of a terminal in characters. */
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Environment;
  readonly cwd: string;
}

/** Writes and waits until the stream has taken the bytes, so that large results do not pile up. */
export function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** One line to standard output. */
export function print(io: CliIo, line: string): Promise<void> {
  return write(io.stdout, `${line}\n`);
}

/** True when bold and colour make sense on this stream: a terminal, and the user did not say no. */
export function styled(io: CliIo, stream: { readonly isTTY?: boolean }): boolean {
  const no = io.environment['NO_COLOR'];
  return stream.isTTY === true && (no === undefined || no === '') && io.environment['TERM'] !== 'dumb';
}
