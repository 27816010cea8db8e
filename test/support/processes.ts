import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { until } from './until.ts';

/**
 * Whether a process runs. One that has ended but that nobody has waited for is still there for `kill(pid, 0)`, in some
 * containers for ever; it does not run.
 */
export async function isRunning(pid: number): Promise<boolean> {
  const state = await stateOf(pid);
  return state !== undefined && !/^[ZX]/.test(state);
}

/** Resolves when a process has ended. */
export async function processEnd(pid: number): Promise<void> {
  await until(async () => !(await isRunning(pid)));
}

async function stateOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
      throw error;
    });
    return stat?.slice(stat.lastIndexOf(')') + 2);
  }
  const asked = promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]);
  return asked.then(
    ({ stdout }) => stdout.trim(),
    (error: { readonly code?: unknown }) => {
      if (error.code === 1) return undefined; // ps knows no such process
      throw error;
    },
  );
}
