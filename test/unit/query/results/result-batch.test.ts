import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api';
import type { ResultType, ResultVector } from '../../../../src/query/result.ts';
import { resultColumns, toResultBatch } from '../../../../src/query/results/result-batch.ts';
import { stringReader } from '../../../../src/query/results/result-strings.ts';
import { TYPE_ID } from '../../../../src/query/results/result-type-ids.ts';

describe('chunks of the engine as result batches', () => {
  let instance: DuckDBInstance;
  let connection: DuckDBConnection;
  before(async () => {
    instance = await DuckDBInstance.create(':memory:');
    connection = await instance.connect();
  });
  after(() => {
    connection.closeSync();
    instance.closeSync();
  });

  /** All values of the first column of a query, through the adapter. */
  async function values(sql: string, hint?: ResultType): Promise<{ kind: string; type: ResultType; values: unknown[] }> {
    const result = await connection.stream(sql);
    const columns = resultColumns(['c'], result.columnTypes(), [hint]);
    const all: unknown[] = [];
    let kind = 'none';
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      const batch = toResultBatch(chunk, columns);
      const [vector] = batch.columns;
      assert.ok(vector);
      kind = vector.kind;
      for (let row = 0; row < batch.rowCount; row++) all.push(valueAt(vector, row));
    }
    assert.equal(columns[0]?.name, 'c');
    return { kind, type: columns[0]?.type ?? { kind: 'null' }, values: all };
  }

  const list = (type: string, items: string): string => `select unnest([${items}]::${type}[]) as c`;

  test('type numbers are those of the binding', () => {
    for (const [name, id] of Object.entries(TYPE_ID)) assert.equal(id, DuckDBTypeId[name as keyof typeof DuckDBTypeId], name);
  });

  test('numbers keep all digits', async () => {
    assert.deepEqual(await values(list('DOUBLE', "'1.5', NULL, 'nan', 'inf', '-0.0'")), {
      kind: 'float64',
      type: { kind: 'float64' },
      values: [1.5, null, Number.NaN, Number.POSITIVE_INFINITY, -0],
    });
    assert.deepEqual((await values(list('FLOAT', '0.1, NULL'))).values, [Math.fround(0.1), null]);
    assert.deepEqual((await values(list('BIGINT', '9223372036854775807, -9223372036854775808, NULL'))).values, [
      9223372036854775807n,
      -9223372036854775808n,
      null,
    ]);
    assert.deepEqual((await values(list('UBIGINT', '18446744073709551615, NULL, 0'))).values, [18446744073709551615n, null, 0n]);
    assert.deepEqual((await values(list('INTEGER', '-1, NULL'))).values, [-1, null]);
    for (const type of ['TINYINT', 'SMALLINT', 'UTINYINT', 'USMALLINT']) {
      const small = await values(list(type, '7, NULL'));
      assert.deepEqual([small.kind, small.values], ['int32', [7, null]], type);
    }
    assert.deepEqual((await values(list('UINTEGER', '4294967295'))).values, [4294967295n]);
    assert.deepEqual((await values(list('DECIMAL(10,2)', '12.34, NULL'))).values, [12.34, null]);
    assert.deepEqual((await values(list('HUGEINT', '170141183460469231731687303715884105727'))).values, [
      170141183460469231731687303715884105727n,
    ]);
    assert.deepEqual(await values('select sum(x)::HUGEINT as c from (values (1), (2)) t(x)', { kind: 'int64' }), {
      kind: 'int64',
      type: { kind: 'int64' },
      values: [3n],
    });
  });

  test('booleans', async () => {
    assert.deepEqual((await values(list('BOOLEAN', 'true, false, NULL'))).values, [1, 0, null]);
  });

  test('every timestamp precision becomes nanoseconds', async () => {
    const text = "'2022-01-01 08:00:00', NULL, '1969-12-31 23:59:59'";
    for (const type of ['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS']) {
      const got = await values(list(type, text));
      assert.deepEqual([got.kind, got.values], ['timestamp', [1641024000000000000n, null, -1000000000n]], type);
      assert.deepEqual(got.type, { kind: 'timestamp', zone: undefined });
    }
    const zoned = await values(list('TIMESTAMPTZ', "'2022-01-01 08:00:00+00'"));
    assert.deepEqual(zoned, { kind: 'timestamp', type: { kind: 'timestamp', zone: 'UTC' }, values: [1641024000000000000n] });
    assert.deepEqual((await values('select 5::BIGINT as c', { kind: 'timestamp', zone: undefined })).values, [5n]);
    assert.deepEqual((await values(list('DATE', "'1970-01-02', NULL"))).values, [1, null]);
  });

  test('durations come from intervals and from plain nanoseconds', async () => {
    const hint: ResultType = { kind: 'duration' };
    assert.deepEqual((await values("select INTERVAL '1 day 1 second' as c", hint)).values, [86_401_000_000_000n]);
    assert.deepEqual((await values('select 7::BIGINT as c', hint)).values, [7n]);
  });

  test('strings of every length, repeated or not, across several chunks', async () => {
    const sql = `select case when range % 7 = 0 then NULL when range % 3 = 0 then '' when range % 2 = 0 then 'tag' || (range % 5)
      else 'a string longer than twelve bytes, ünïcode 🙂 ' || (range % 600) end as c from range(5000)`;
    const got = await values(sql);
    const expected = Array.from({ length: 5000 }, (_unused, i) => {
      if (i % 7 === 0) return null;
      if (i % 3 === 0) return '';
      return i % 2 === 0 ? `tag${i % 5}` : `a string longer than twelve bytes, ünïcode 🙂 ${i % 600}`;
    });
    assert.deepEqual(got.values, expected);
    assert.deepEqual((await values(list('VARCHAR', "'äöü', '🙂🙂🙂', 'a' || chr(0) || 'b'"))).values, ['äöü', '🙂🙂🙂', 'a\0b']);
    assert.deepEqual((await values("select 'b'::ENUM('a','b') as c")).values, ['b']);
    assert.deepEqual((await values("select '00000000-0000-0000-0000-000000000001'::UUID as c")).values, [
      '00000000-0000-0000-0000-000000000001',
    ]);
  });

  test('binary, null and nested values', async () => {
    const blob = await values("select '\\x01\\xFF'::BLOB as c");
    assert.deepEqual(Buffer.from(blob.values[0] as Uint8Array), Buffer.from([1, 255]));
    assert.deepEqual((await values('select NULL as c', { kind: 'null' })).values, [null]);
    assert.deepEqual((await values("select {'a': 1::BIGINT, 'b': [1.5, NULL], 'c': NULL} as c")).values, [
      { a: 1n, b: [1.5, null], c: null },
    ]);
    assert.deepEqual((await values("select MAP {'k': 1} as c")).values, [new Map([['k', 1]])]);
    assert.deepEqual((await values("select [TIMESTAMP '2022-01-01 00:00:00.5', NULL] as c")).values, [['2022-01-01T00:00:00.500', null]]);
    assert.deepEqual((await values("select INTERVAL '1 month 2 days 3 hours' as c")).values, ['1 mons 2 days 3 hours']);
    assert.deepEqual((await values("select INTERVAL '-1.5 seconds' as c")).values, ['-1.500000000 secs']);
    assert.deepEqual((await values("select TIME '01:02:03' as c")).values, ['01:02:03']);
    assert.deepEqual((await values("select TIME '01:02:03.5' as c")).values, ['01:02:03.500']);
    assert.deepEqual((await values("select [TIME '23:59:59.000001'] as c")).values, [['23:59:59.000001']]);
  });

  function valueAt(vector: ResultVector, row: number): unknown {
    if ('data' in vector) {
      const { valid, data } = vector;
      return valid !== undefined && ((valid[row >> 3] ?? 0) & (1 << (row & 7))) === 0 ? null : data[row];
    }
    if (vector.kind === 'string') return vector.text(row);
    if (vector.kind === 'binary') return vector.bytes(row);
    return vector.kind === 'nested' ? vector.value(row) : null;
  }

  test('texts that are too much to be copied together are read one by one, after later fetches too', async () => {
    const result = await connection.stream('SELECT repeat(chr((97 + i % 26)::INT), 50000) || i FROM range(4000) t(i)');
    const columns = resultColumns(['c'], result.columnTypes(), []);
    const batches = [];
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      batches.push(toResultBatch(chunk, columns));
    }
    let row = 0;
    for (const { columns: vectors, rowCount } of batches) {
      const [vector] = vectors;
      assert.ok(vector?.kind === 'string');
      for (let i = 0; i < rowCount; i++, row++)
        assert.ok(vector.text(i) === `${String.fromCharCode(97 + (row % 26)).repeat(50_000)}${row}`, `row ${row}`);
    }
    assert.equal(row, 4000);
  });

  test('a text that is too long to be answered is refused', async () => {
    const result = await connection.stream("SELECT repeat('x', 1001)");
    const chunk = await result.fetchChunk();
    assert.ok(chunk);
    assert.throws(() => stringReader(chunk.getColumnVector(0), chunk, 1000), {
      code: 'SQL_MEMORY',
      message: /a text of a result has 1001 bytes/,
    });
    assert.equal(stringReader(chunk.getColumnVector(0), chunk, 1001)(0)?.length, 1001);
  });
});
