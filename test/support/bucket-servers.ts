import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureNpmPackage } from '../tooling/ensure-npm-package.ts';
import { startServer, type TestServer } from './server.ts';

interface Ends {
  after(fn: () => Promise<void>): void;
}

/** Time of the first point, unix seconds. */
export const FIRST_SECOND = 1_700_000_000;

/** Flags that make files of the log and of Parquet out of a handful of writes. */
export const RESTLESS = ['--wal-flush-interval', '10ms', '--wal-snapshot-size', '4', '--snapshotted-wal-files-to-keep', '0'];

/** Starts a server whose data is in a bucket, with an empty cache unless `cacheDir` is given. */
export async function startBucketServer(
  t: Ends,
  storeArgs: readonly string[],
  options: { readonly args?: readonly string[]; readonly cacheDir?: string; readonly bare?: boolean } = {},
): Promise<TestServer> {
  const cacheDir = options.cacheDir ?? (await emptyDirectory(t));
  const cwd = storeArgs.includes('s3') ? ensureNpmPackage('@aws-sdk/client-s3') : cacheDir; // the other stores need no package
  const args = [...storeArgs, '--file-cache-dir', join(cacheDir, 'cache'), ...(options.args ?? [])];
  return startServer(t, cacheDir, { args, cwd, bare: options.bare === true });
}

export async function emptyDirectory(t: Ends): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'influxdb3-bucket-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Writes points whose values say what they are, one a request, and knows which were acknowledged. */
export class NumberedWriter {
  readonly acknowledged = new Set<number>();
  readonly statuses = new Map<number, number>();
  #next: number;

  constructor(first = 0) {
    this.#next = first;
  }

  get next(): number {
    return this.#next;
  }

  /** Writes one after the other until `count` were tried or `isOver`; a server that is gone ends it. */
  async run(server: TestServer, count: number, isOver: () => boolean = () => false): Promise<void> {
    for (let i = 0; i < count && !isOver(); i++) await this.one(server);
  }

  /** Several at the same time. */
  async many(server: TestServer, lanes: number, count: number, isOver: () => boolean = () => false): Promise<void> {
    await Promise.all(Array.from({ length: lanes }, () => this.run(server, count, isOver)));
  }

  async one(server: TestServer): Promise<number> {
    const n = this.#next++;
    try {
      const response = await server.write('db', `m,k=k${n % 7} v=${n}i ${FIRST_SECOND + n}000000000`);
      await response.arrayBuffer();
      this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1);
      if (response.status === 204) this.acknowledged.add(n);
      return response.status;
    } catch {
      return 0; // no answer: it may be there or not
    }
  }

  /** Compares what a server has with what was acknowledged: how many are lost, doubled, or wrong. */
  async compare(server: TestServer): Promise<{ acknowledged: number; found: number; lost: number; doubled: number; wrong: number }> {
    const rows = await server.rows('db', 'SELECT k, v, time FROM m');
    const seen = new Map<number, number>();
    let wrong = 0;
    for (const { k, v, time } of rows) {
      const n = Number(v);
      seen.set(n, (seen.get(n) ?? 0) + 1);
      if (k !== `k${n % 7}` || n >= this.#next || Date.parse(`${String(time)}Z`) !== (FIRST_SECOND + n) * 1000) wrong++;
    }
    const lost = [...this.acknowledged].filter((n) => !seen.has(n)).length;
    const doubled = [...seen.values()].filter((times) => times > 1).length;
    return { acknowledged: this.acknowledged.size, found: rows.length, lost, doubled, wrong };
  }
}
