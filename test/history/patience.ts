import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from './check.ts';

/** Far beyond what a request takes on a busy machine; a server that says nothing for so long hangs. */
const ANSWER_MS_MAX = Number(process.env['HISTORY_PATIENCE_S'] ?? 120) * 1000;

/** The answer, or a `Fault` when none comes. Rejects as the answer does. */
export async function answered<T>(what: string, answer: Promise<T>, msMax = ANSWER_MS_MAX): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault('unexpected', `${what}: nothing for ${msMax / 1000} s`)), msMax);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}

const AGAIN_MS = 1000;

/** Asks until the answer is true; false when it was not for as long as a server may say nothing. */
export async function eventually(ask: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + ANSWER_MS_MAX;
  for (;;) {
    if (await ask()) return true;
    if (performance.now() > end) return false;
    await delay(AGAIN_MS);
  }
}
