import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from './check.ts';
import { Copies } from './copies.ts';
import { live } from './life.ts';
import { type LifePlan, planLife, type RunOptions } from './plan.ts';
import { report } from './report.ts';
import { Rounds } from './rounds.ts';
import { World } from './world.ts';
import { Writer } from './writer.ts';

export interface RunResult {
  readonly world: World;
  /** What a person reads: numbers, and the history around the first fault. */
  readonly text: string;
}

/** A whole history: lives of a server on one directory, until the time is over or something is wrong. */
export async function runHistory(options: RunOptions, interrupt?: AbortSignal): Promise<RunResult> {
  const directory = await mkdtemp(join(tmpdir(), 'history-'));
  const world = new World(options);
  const writers = Array.from({ length: options.writers }, (_, i) => new Writer(world, i));
  const rounds = new Rounds(world);
  const copies = new Copies(world);
  interrupt?.addEventListener('abort', () => world.fail(new Fault('unexpected', 'interrupted')), { once: true });
  const logs: string[] = [];
  const onLog = (text: string): void => {
    logs.push(text);
    options.onLog?.(text);
  };
  const endMs = Date.now() + options.minutes * 60_000;
  const latestMs = Date.now() + options.minutesMax * 60_000;
  const isEnough = (): boolean => world.counts.rowsVerified >= options.rowsMin && world.counts.kills >= options.killsMin;
  const isOver = (): boolean => Date.now() >= endMs && (isEnough() || Date.now() >= latestMs);
  const begin = async (plan: LifePlan): Promise<void> => {
    try {
      await live(world, plan, { directory, writers, rounds, copies, onLog });
    } catch (error) {
      world.fail(error);
    }
  };
  let number = 0;
  while (world.fault === undefined && !isOver()) await begin(planLife(options.seed, number++));
  // The last word: all is compared once more, and again after an orderly end.
  for (const ending of ['SIGTERM', 'SIGKILL'] as const) {
    if (world.fault === undefined) await begin({ ...planLife(options.seed, number++), writes: 0, ending });
  }
  const text = report(world, logs);
  if (world.fault === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  else await writeFile(join(directory, 'history.txt'), `${text}\n\n${logs.join('\n--- next life ---\n')}`);
  return { world, text: world.fault === undefined ? text : `${text}\nkept: ${directory}` };
}
