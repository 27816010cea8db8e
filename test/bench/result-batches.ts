/**
 * What a row costs on the main thread from DuckDB's chunks to a result batch, from there to an Arrow record batch and to CSV: the
 * fastest of many runs over the same 8192 rows, which other work of the machine hardly touches. Run: `npm run bench -- result-batches`.
 * Recorded in docs/performance.md, "Arrow Flight".
 */
import { type DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api';
import type { ResultType } from '../../src/query/result.ts';
import { ResultReader } from '../../src/query/results/result-reader.ts';
import { BatchRanges } from '../../src/server/arrow/batch-ranges.ts';
import { RecordBatchWriter } from '../../src/server/arrow/record-batch.ts';
import { encoders, TextSink } from '../../src/server/http/response/formats/index.ts';

const CHUNKS = 4;
const RUNS = 500;

const tag: ResultType = { kind: 'string', dictionary: true };
const time = 'make_timestamp_ns(1704067200000000000 + (i % 1000) * 10000000000) AS time';
const tags = `'host_' || (i // 1000) AS hostname, 'us-east-1' AS region, 'us-east-1a' AS datacenter, (i // 1000) % 97 || '' AS rack, 'Ubuntu16.04LTS' AS os,
  'x64' AS arch, 'NYC' AS team, (i // 1000) % 17 || '' AS service, (i // 1000) % 2 || '' AS service_version, 'production' AS service_environment`;
const integers = Array.from({ length: 5 }, (_, f) => `(i * ${f + 3} % 100)::BIGINT AS i${f}`);
const floats = Array.from({ length: 5 }, (_, f) => `round(random() * 100, 2) AS f${f}`);

const SHAPES = [
  { name: 'narrow', items: `'s' || (i // 1000) AS sensor, ${time}, round(20 + random() * 5, 2) AS value`, tags: 1 },
  { name: 'cpu100', items: `${tags}, ${time}, ${[...integers, ...floats].join(', ')}`, tags: 10 },
];

/** The fastest run, ns. */
function fastest(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const began = performance.now();
    run();
    best = Math.min(best, (performance.now() - began) * 1e6);
  }
  return best;
}

const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
for (const shape of SHAPES) {
  await connection.run(`CREATE TABLE ${shape.name} AS SELECT ${shape.items} FROM range(100000) t(i)`);
  const result = await connection.stream(`FROM ${shape.name}`);
  const expected = result.columnNames().map((name, i) => ({ name, type: i < shape.tags ? tag : undefined }));
  const reader = new ResultReader(expected, result.columnTypes());
  const chunks: DuckDBDataChunk[] = [];
  while (chunks.length < CHUNKS) chunks.push((await result.fetchChunk()) as DuckDBDataChunk);
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  const read = fastest(() => {
    for (const chunk of chunks) for (const _ of reader.batches(chunk));
  });
  const batches = chunks.flatMap((chunk) => [...reader.batches(chunk)]);
  let memory: Buffer | undefined;
  const arrow = fastest(() => {
    const writer = new RecordBatchWriter(reader.columns);
    const ranges = new BatchRanges(writer.codes);
    for (const batch of batches) for (const parts of ranges.add(batch)) memory = writer.write(parts, memory).memory;
    memory = writer.write(ranges.rest(), memory).memory;
  });
  const encoder = encoders.csv(reader.columns, new TextSink());
  const csv = fastest(() => {
    for (const batch of batches) encoder.batch(batch);
    encoder.sink.take();
  });
  const perRow = (ns: number): string => (ns / rows).toFixed(1);
  console.log(`${shape.name}, ns a row: ${perRow(read)} to batches, from there ${perRow(arrow)} to Arrow, ${perRow(csv)} to CSV`);
}
