/** `npm run history`: one run, set by HISTORY_... variables of the environment (docs/testing.md, "Histories"). */
import { appendFileSync } from 'node:fs';
import type { RunOptions } from './plan.ts';
import { runHistory } from './run.ts';

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

const logFile = process.env['HISTORY_LOG'];

/** Time that a busy machine gets for its rows, as a multiple of what was asked for. */
const LATEST = 1.25;
const minutes = number('HISTORY_MINUTES', 2);

const options: RunOptions = {
  seed: number('HISTORY_SEED', Math.floor(Math.random() * 2 ** 31)),
  minutes,
  minutesMax: minutes * LATEST,
  rowsMin: number('HISTORY_ROWS', 0),
  killsMin: 0,
  writers: number('HISTORY_WRITERS', 8),
  readers: number('HISTORY_READERS', 2),
  rowsPerSecond: number('HISTORY_RATE', 12_000),
  onNote: (text) => void process.stderr.write(`${new Date().toISOString()} ${text}\n`),
  onLog: (text) => {
    if (logFile !== undefined) appendFileSync(logFile, text);
  },
};

// An end from outside must not leave a server behind.
const interrupt = new AbortController();
process.once('SIGTERM', () => interrupt.abort());
process.once('SIGINT', () => interrupt.abort());

process.stdout.write(`seed ${options.seed}\n`);
const { world, text } = await runHistory(options, interrupt.signal);
process.stdout.write(`${text}\n`);
process.exitCode = world.fault === undefined ? 0 : 1;
