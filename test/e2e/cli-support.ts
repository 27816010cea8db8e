import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program as users start it. */
export const bin = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'bin', 'influxdb3.js');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end, with nothing in its environment but what is given. */
export function runProgram(
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd: string; input?: string },
): Promise<Finished> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: options.cwd, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => {
    output.stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    output.stderr += data.toString();
  });
  child.stdin.end(options.input ?? '');
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, ...output })));
}
