/**
 * Processor time of results that DuckDB delivers, from its chunks to the bytes of each format, with the time that DuckDB
 * needs for the chunks alone. Run: `node .build/all/test/bench/results.js [rows] [rounds]`.
 */
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api';
import type { ResultBatch, ResultType } from '../../src/query/result.ts';
import { ResultReader } from '../../src/query/results/result-reader.ts';
import { encoders, type FormatName, TextSink } from '../../src/server/http/response/formats/index.ts';

/** Output is handed over in pieces of this size, as the server does, bytes. */
const PIECE_BYTES = 64 * 1024;

const tag: ResultType = { kind: 'string', dictionary: true };

interface Shape {
  readonly name: string;
  readonly sql: (rows: number) => string;
  readonly hints: readonly (ResultType | undefined)[];
}

const tagItems = Array.from({ length: 10 }, (_, i) => `'tag-value-' || (i * ${i + 7} % ${10 ** ((i % 3) + 1)}) AS tag${i}`);
const fieldItems = Array.from({ length: 10 }, (_, i) => `(i * ${i + 3}) % 100000 AS field${i}`);

const shapes: readonly Shape[] = [
  {
    name: 'narrow',
    sql: (rows) =>
      `SELECT make_timestamp_ns(1700000000000000000 + i * 10000000) AS time, 'host_' || (i % 1000) AS host, round(random() * 100, 2) AS v FROM range(${rows}) t(i)`,
    hints: [undefined, tag, undefined],
  },
  {
    name: 'wide',
    sql: (rows) =>
      `SELECT make_timestamp_ns(1700000000000000000 + i * 10000000) AS time, ${tagItems.join(', ')}, ${fieldItems.join(', ')} FROM range(${rows}) t(i)`,
    hints: [undefined, ...tagItems.map(() => tag), ...fieldItems.map(() => undefined)],
  },
  {
    name: 'texts',
    sql: (rows) =>
      `SELECT 'message number ' || i || ' of a log that goes on, and on' AS a, repeat('x', i % 200) AS b FROM range(${rows}) t(i)`,
    hints: [undefined, undefined],
  },
  {
    name: 'lists',
    sql: (rows) => `SELECT [i, i + 1, i + 2] AS a, {'x': i, 'y': 'text ' || i} AS b FROM range(${rows}) t(i)`,
    hints: [undefined, undefined],
  },
];

type Encode = FormatName | 'chunks' | 'batches';

async function measure(connection: DuckDBConnection, shape: Shape, encode: Encode, rows: number): Promise<number> {
  const result = await connection.stream(`FROM ${shape.name}`);
  const reader = new ResultReader(
    result.columnNames().map((name, i) => ({ name, type: shape.hints[i] })),
    result.columnTypes(),
  );
  const isText = encode !== 'chunks' && encode !== 'batches';
  const encoder = isText ? encoders[encode](reader.columns, new TextSink()) : undefined;
  const take = (batch: ResultBatch): void => {
    encoder?.batch(batch);
    if (encoder !== undefined && encoder.sink.length > PIECE_BYTES) encoder.sink.take();
  };
  const read = (chunk: DuckDBDataChunk): void => {
    if (encode !== 'chunks') for (const batch of reader.batches(chunk)) take(batch);
  };
  const before = process.cpuUsage();
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) read(chunk);
  encoder?.end();
  const used = process.cpuUsage(before);
  return ((used.user + used.system) * 1000) / rows;
}

const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
for (const shape of shapes) {
  await connection.run(`CREATE TABLE ${shape.name} AS ${shape.sql(rows)}`);
  const formats: readonly Encode[] =
    shape.name === 'lists' ? ['chunks', 'batches', 'json', 'arrow'] : ['chunks', 'batches', 'csv', 'json', 'arrow'];
  for (const format of formats) {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) best = Math.min(best, await measure(connection, shape, format, rows));
    console.log(`${shape.name} ${format}: ${best.toFixed(0)} ns of processor time a row`);
  }
  await connection.run(`DROP TABLE ${shape.name}`);
}
