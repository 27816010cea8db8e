import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { live } from './life.ts';
import { planLife, type RunOptions } from './plan.ts';
import { report } from './report.ts';
import { World } from './world.ts';
import { Writer } from './writer.ts';

export interface RunResult {
  readonly world: World;
  /** What a person reads: numbers, and the history around the first fault. */
  readonly text: string;
}

/** A whole history: lives of a server on one directory, until the time is over or something is wrong. */
export async function runHistory(options: RunOptions): Promise<RunResult> {
  const directory = await mkdtemp(join(tmpdir(), 'history-'));
  const world = new World(options);
  const writers = Array.from({ length: options.writers }, (_, i) => new Writer(world, i));
  const logs: string[] = [];
  const endMs = Date.now() + options.minutes * 60_000;
  for (let number = 0; world.fault === undefined && Date.now() < endMs; number++) {
    const plan = planLife(options.seed, number);
    try {
      logs.push(await live(world, plan, directory, writers));
    } catch (error) {
      world.fail(error);
    }
  }
  const text = report(world, logs);
  if (world.fault === undefined) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  else await writeFile(join(directory, 'history.txt'), `${text}\n\n${logs.join('\n--- next life ---\n')}`);
  return { world, text: world.fault === undefined ? text : `${text}\nkept: ${directory}` };
}
