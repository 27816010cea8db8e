import { runHistory } from './run.ts';

/** `node main.js`, with HISTORY_SEED, HISTORY_MINUTES, HISTORY_WRITERS and HISTORY_RATE in the environment. */
const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

const { world, text } = await runHistory({
  seed: number('HISTORY_SEED', Math.floor(Math.random() * 2 ** 31)),
  minutes: number('HISTORY_MINUTES', 2),
  writers: number('HISTORY_WRITERS', 8),
  readers: number('HISTORY_READERS', 2),
  rowsPerSecond: number('HISTORY_RATE', 12_000),
});
process.stdout.write(`${text}\n`);
process.exitCode = world.fault === undefined ? 0 : 1;
