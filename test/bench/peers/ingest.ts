import { generate, type ShapeName } from '../line-protocol-shapes.ts';
import type { RunningServer } from './running-server.ts';
import { WriteConnection } from './write-connection.ts';

export interface Batches {
  readonly shape: ShapeName;
  readonly rowsPerBatch: number;
  readonly bodies: readonly Buffer[];
}

/** Cuts `rows` generated lines into bodies of `rowsPerBatch`. */
export function batchesOf(shape: ShapeName, rows: number, rowsPerBatch: number): Batches {
  const all = generate(shape, rows);
  const bodies: Buffer[] = [];
  let start = 0;
  let lines = 0;
  for (let at = all.indexOf(10); at >= 0; at = all.indexOf(10, at + 1)) {
    lines++;
    if (lines % rowsPerBatch !== 0) continue;
    bodies.push(all.subarray(start, at + 1));
    start = at + 1;
  }
  return { shape, rowsPerBatch, bodies };
}

export interface IngestResult {
  readonly rowsPerSec: number;
  readonly requestsPerSec: number;
  /** Times to the acknowledgement. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Server processor time per row, microseconds; undefined where the system does not tell. */
  readonly cpuMicrosPerRow: number | undefined;
}

export interface IngestOptions {
  readonly connections: number;
  /** Ends at the last batch or after this time, whichever is first. */
  readonly maxMs: number;
  readonly noSync: boolean;
}

/** Bodies one after the other. */
export interface BodySource {
  readonly rowsPerBatch: number;
  next(): Buffer;
}

/** Writes batches over connections that each wait for their answer. The first batch goes alone and is not timed. */
export function ingest(server: RunningServer, batches: Batches, options: IngestOptions): Promise<IngestResult> {
  if (batches.bodies.length < 2) throw new Error('too few rows for a batch');
  let next = 0;
  const source: BodySource = { rowsPerBatch: batches.rowsPerBatch, next: () => batches.bodies[next++] as Buffer };
  return ingestBodies(server, source, { ...options, batchesMax: batches.bodies.length });
}

/** The same for bodies that are made as they are sent; `batchesMax` undefined = until the time is over. */
export async function ingestBodies(
  server: RunningServer,
  source: BodySource,
  options: IngestOptions & { readonly batchesMax?: number },
): Promise<IngestResult> {
  const { batchesMax = Number.POSITIVE_INFINITY } = options;
  const path = server.target.writePath(options.noSync);
  await server.request('POST', path, source.next());
  const cpuBefore = server.cpuSecs();
  const times: number[] = [];
  const started = performance.now();
  let sentBatches = 1;
  const worker = async (): Promise<void> => {
    const connection = await WriteConnection.open(server.url, path);
    while (sentBatches < batchesMax && performance.now() - started < options.maxMs) {
      sentBatches++;
      const body = source.next();
      const sent = performance.now();
      await connection.post(body);
      times.push(performance.now() - sent);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: options.connections }, worker));
  const secs = (performance.now() - started) / 1000;
  const cpuAfter = server.cpuSecs();
  const rows = times.length * source.rowsPerBatch;
  return {
    rowsPerSec: rows / secs,
    requestsPerSec: times.length / secs,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    cpuMicrosPerRow: cpuBefore === undefined || cpuAfter === undefined ? undefined : ((cpuAfter - cpuBefore) * 1e6) / rows,
  };
}

/** Nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
