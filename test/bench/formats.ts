/**
 * Rows per second of the text formats over a synthetic result: 11 columns (time, 2 tags, 4 floats, 3 integers, 1
 * boolean), batches of 2048 rows. Run: `node .build/all/test/bench/formats.js [rows]`.
 * Recorded (Node 20, one core of the 2-core build machine): see the numbers at the end of the file.
 */
import type { ResultBatch, ResultColumn } from '../../src/query/result.ts';
import { textVector } from '../../src/query/results/index.ts';
import { encoders, type FormatName, TextSink } from '../../src/server/http/response/formats/index.ts';

const BATCH_ROWS = 2048;

const columns: readonly ResultColumn[] = [
  { name: 'time', type: { kind: 'timestamp', zone: undefined } },
  { name: 'host', type: { kind: 'string', dictionary: true } },
  { name: 'region', type: { kind: 'string', dictionary: true } },
  ...['usage_user', 'usage_system', 'usage_idle', 'random'].map((name) => ({ name, type: { kind: 'float64' } as const })),
  ...['a', 'b', 'c'].map((name) => ({ name, type: { kind: 'int64' } as const })),
  { name: 'ok', type: { kind: 'boolean' } },
];

function batchOf(firstRow: number): ResultBatch {
  const rows = Array.from({ length: BATCH_ROWS }, (_unused, i) => firstRow + i);
  const hosts = Array.from({ length: 100 }, (_unused, i) => `host_${i}`);
  const floats = (scale: number): Float64Array => Float64Array.from(rows, (row) => Math.round(((row * 7919) % 10000) / scale) / 100);
  const integers = (factor: bigint): BigInt64Array => BigInt64Array.from(rows, (row) => BigInt(row) * factor);
  const valid = undefined;
  return {
    rowCount: BATCH_ROWS,
    columns: [
      { kind: 'timestamp', data: BigInt64Array.from(rows, (row) => 1_700_000_000_000_000_000n + BigInt(row) * 10_000_000n), valid },
      textVector(rows.map((row) => hosts[row % 100] as string)),
      textVector(rows.map(() => 'eu-central-1')),
      { kind: 'float64', data: floats(1), valid },
      { kind: 'float64', data: floats(3), valid },
      { kind: 'float64', data: floats(7), valid },
      { kind: 'float64', data: Float64Array.from(rows, (row) => Math.sin(row)), valid },
      { kind: 'int64', data: integers(1n), valid },
      { kind: 'int64', data: integers(-1_000_003n), valid },
      { kind: 'int64', data: integers(1_000_000_007_000n), valid },
      { kind: 'boolean', data: Uint8Array.from(rows, (row) => row & 1), valid },
    ],
  };
}

function measure(format: FormatName, batches: readonly ResultBatch[], rowTotal: number): void {
  const encoder = encoders[format](columns, new TextSink(96 * 1024));
  const started = performance.now();
  let rows = 0;
  let bytes = 0;
  for (let i = 0; rows < rowTotal; i++) {
    encoder.batch(batches[i % batches.length] as ResultBatch);
    rows += BATCH_ROWS;
    if (encoder.sink.length > 64 * 1024) bytes += encoder.sink.take().length;
  }
  encoder.end();
  bytes += encoder.sink.take().length;
  const secs = (performance.now() - started) / 1000;
  console.log(`${format}: ${Math.round(rows / secs)} rows/s, ${(bytes / secs / 1e6).toFixed(0)} MB/s`);
}

const total = Number(process.argv[2] ?? 1_000_000);
const batches = Array.from({ length: 16 }, (_unused, i) => batchOf(i * BATCH_ROWS));
for (const format of ['csv', 'json', 'jsonl'] as const) measure(format, batches, total);
