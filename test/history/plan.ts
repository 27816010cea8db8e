import { Random } from '../fuzz/random.ts';

export interface RunOptions {
  readonly seed: number;
  /** How long lives are begun. */
  readonly minutes: number;
  /** Rows to compare, if need be for longer. */
  readonly rowsMin: number;
  /** Lives that end by SIGKILL, if need be for longer. */
  readonly killsMin: number;
  /** A busy machine gets no longer than this for its rows and kills. */
  readonly minutesMax: number;
  readonly writers: number;
  readonly readers: number;
  /** Rows a second that all writers together send at most. */
  readonly rowsPerSecond: number;
  /** Told of what happens, as it happens. */
  readonly onNote?: (text: string) => void;
  /** Given the server's log of each life. */
  readonly onLog?: (text: string) => void;
}

/** How the server ends a life. */
export type Ending = 'SIGKILL' | 'SIGTERM';

/** What happens in one life of the server, from its start to its end. */
export interface LifePlan {
  readonly number: number;
  /** The program, or a process that embeds the server. */
  readonly kind: 'program' | 'embedded';
  readonly args: readonly string[];
  /** Acknowledged writes after which the server ends; 0 = all is compared and it ends. */
  readonly writes: number;
  /** Queries that need much memory run beside. */
  readonly heavyQueries: boolean;
  readonly ending: Ending;
  /** Moments after the start at which the process is stopped for a while. */
  readonly pauses: readonly { readonly atMs: number; readonly ms: number }[];
}

/** A random source of its own for each part of a run: what one part draws does not move the others. */
export function randomFor(seed: number, part: string): Random {
  let mixed = seed >>> 0;
  for (let i = 0; i < part.length; i++) mixed = Math.imul(mixed ^ part.charCodeAt(i), 0x01000193) >>> 0;
  const random = new Random(mixed);
  random.next();
  return random;
}

/** The plan of a life, from the seed and its number alone. */
export function planLife(seed: number, number: number): LifePlan {
  const random = randomFor(seed, `life ${number}`);
  const gen1 = randomFor(seed, 'gen1').pick(['1m', '5m', '10m']); // fixed at the first start
  const args = ['--gen1-duration', gen1];
  const give = (probability: number, flag: string, ...values: string[]): void => {
    if (random.chance(probability)) args.push(flag, random.pick(values));
  };
  give(0.7, '--wal-flush-interval', '5ms', '20ms', '100ms');
  give(0.8, '--wal-snapshot-size', '2', '4', '20');
  give(0.6, '--snapshotted-wal-files-to-keep', '0', '1', '10');
  give(0.4, '--force-snapshot-mem-threshold', '1', '4', '16');
  give(0.3, '--retention-check-interval', '2s', '5s');
  if (random.chance(0.3)) args.push('--check-batches');
  const heavyQueries = random.chance(0.35);
  if (heavyQueries) args.push('--exec-mem-pool-bytes', random.pick(['256', '384']));
  if (random.chance(0.25)) args.push('--disable-parquet-mem-cache');
  else give(0.3, '--parquet-mem-cache-size', '1', '8');
  const writes = 30 + random.below(220);
  const pauses = Array.from({ length: random.below(3) }, () => ({ atMs: random.below(4_000), ms: 50 + random.below(500) }));
  const kind = random.chance(0.25) ? 'embedded' : 'program';
  return { number, kind, args, writes, heavyQueries, ending: random.chance(0.7) ? 'SIGKILL' : 'SIGTERM', pauses };
}
