import { runCli } from './run-cli.ts';

/** Entry of the program: runs the command line of this process and sets its exit code. */
export async function main(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  let exitCode = 1;
  stdout.on('error', endOnClosedPipe);
  stderr.on('error', endOnClosedPipe);
  try {
    exitCode = await runCli(process.argv.slice(2), { stdin, stdout, stderr, environment: env, cwd: process.cwd() });
  } catch (error) {
    if (isClosedPipe(error)) endOnClosedPipe(error);
    const text = process.env['INFLUXDB3_DEBUG'] !== undefined && error instanceof Error ? error.stack : String(error);
    stderr.write(`influxdb3 failed: ${text}\n`);
  }
  // Idle connections and an open standard input must not keep a finished command alive.
  process.exit(exitCode);
}

/** `influxdb3 query … | head` is no failure. */
function endOnClosedPipe(error: unknown): void {
  if (!isClosedPipe(error)) throw error;
  process.exit(0);
}

function isClosedPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}
