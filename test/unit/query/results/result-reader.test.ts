import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api';
import duckdb, { type DataChunk } from '@duckdb/node-bindings';
import type { ResultBatch, ResultType, ResultVector } from '../../../../src/query/result.ts';
import { BATCH_BYTES_MAX, ResultReader } from '../../../../src/query/results/result-reader.ts';
import { TYPE_ID } from '../../../../src/query/results/result-type-ids.ts';
import { TextSource } from '../../../../src/query/results/text-source.ts';
import { dataOf } from '../../../../src/query/results/vector-source.ts';
import { valueAt } from '../../../support/result-vectors.ts';

describe('chunks of DuckDB as result batches', () => {
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
  async function values(
    sql: string,
    hint?: ResultType,
    bytesMax?: number,
  ): Promise<{ kind: string; type: ResultType; values: unknown[]; batches: number }> {
    const result = await connection.stream(sql);
    const reader = new ResultReader([{ name: 'c', type: hint }], result.columnTypes(), bytesMax);
    const all: unknown[] = [];
    let kind = 'none';
    let batches = 0;
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      for (const batch of reader.batches(chunk)) {
        const [vector] = batch.columns;
        assert.ok(vector);
        kind = vector.kind;
        batches++;
        for (let row = 0; row < batch.rowCount; row++) all.push(valueAt(vector, row));
      }
    }
    assert.equal(reader.columns[0]?.name, 'c');
    return { kind, type: reader.columns[0]?.type ?? { kind: 'null' }, values: all, batches };
  }

  /** Type and values alone. */
  async function typed(sql: string, hint?: ResultType): Promise<[ResultType, unknown[]]> {
    const { type, values: all } = await values(sql, hint);
    return [type, all];
  }

  const list = (type: string, items: string): string => `select unnest([${items}]::${type}[]) as c`;

  test('type numbers are those of the binding', () => {
    for (const [name, id] of Object.entries(TYPE_ID)) assert.equal(id, DuckDBTypeId[name as keyof typeof DuckDBTypeId], name);
  });

  test('numbers keep all digits', async () => {
    assert.deepEqual(await typed(list('DOUBLE', "'1.5', NULL, 'nan', 'inf', '-0.0'")), [
      { kind: 'float64' },
      [1.5, null, Number.NaN, Number.POSITIVE_INFINITY, -0],
    ]);
    assert.deepEqual((await values(list('FLOAT', '0.1, NULL'))).values, [Math.fround(0.1), null]);
    assert.deepEqual((await values(list('BIGINT', '9223372036854775807, -9223372036854775808, NULL'))).values, [
      9223372036854775807n,
      -9223372036854775808n,
      null,
    ]);
    assert.deepEqual((await values(list('UBIGINT', '18446744073709551615, NULL, 0'))).values, [18446744073709551615n, null, 0n]);
    assert.deepEqual((await values(list('INTEGER', '-1, NULL'))).values, [-1, null]);
    for (const [type, kind] of [
      ['TINYINT', 'int8'],
      ['SMALLINT', 'int16'],
      ['UTINYINT', 'uint8'],
      ['USMALLINT', 'uint16'],
    ] as const) {
      assert.deepEqual(await typed(list(type, '7, NULL')), [{ kind }, [7, null]], type);
    }
    assert.deepEqual(await typed(list('UINTEGER', '4294967295')), [{ kind: 'uint32' }, [4294967295]]);
    for (const [precision, scale] of [
      [4, 2],
      [9, 2],
      [18, 2],
      [38, 2],
    ] as const) {
      const type = { kind: 'decimal', precision, scale };
      assert.deepEqual(await typed(list(`DECIMAL(${precision},${scale})`, '12.34, NULL, -0.01')), [type, [1234n, null, -1n]]);
    }
    assert.deepEqual((await values(list('HUGEINT', '170141183460469231731687303715884105727'))).values, [
      170141183460469231731687303715884105727n,
    ]);
    assert.deepEqual(await typed('select sum(x)::HUGEINT as c from (values (1), (2)) t(x)', { kind: 'int64' }), [{ kind: 'int64' }, [3n]]);
    assert.deepEqual(await typed(list('DECIMAL(10,2)', '12.34, NULL'), { kind: 'float64' }), [{ kind: 'float64' }, [12.34, null]]);
    assert.deepEqual(await typed(list('INTEGER', '7, NULL'), { kind: 'uint64' }), [{ kind: 'uint64' }, [7n, null]]);
  });

  test('booleans', async () => {
    assert.deepEqual((await values(list('BOOLEAN', 'true, false, NULL'))).values, [1, 0, null]);
  });

  test('every timestamp precision becomes nanoseconds', async () => {
    const text = "'2022-01-01 08:00:00', NULL, '1969-12-31 23:59:59'";
    for (const type of ['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS']) {
      const got = await values(list(type, text));
      assert.deepEqual([got.kind, got.values], ['timestamp', [1641024000000000000n, null, -1000000000n]], type);
      const unit = { TIMESTAMP: 'us', TIMESTAMP_S: 's', TIMESTAMP_MS: 'ms', TIMESTAMP_NS: undefined }[type];
      assert.deepEqual(got.type, { kind: 'timestamp', zone: undefined, ...(unit === undefined ? {} : { unit }) });
    }
    const zoned = await typed(list('TIMESTAMPTZ', "'2022-01-01 08:00:00+00'"));
    assert.deepEqual(zoned, [{ kind: 'timestamp', zone: 'UTC', unit: 'us' }, [1641024000000000000n]]);
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
    assert.deepEqual(await typed("select {'a': 1::BIGINT, 'b': [1.5::DOUBLE, NULL], 'c': NULL} as c"), [
      {
        kind: 'struct',
        members: [
          { name: 'a', type: { kind: 'int64' } },
          { name: 'b', type: { kind: 'list', item: { kind: 'float64' } } },
          { name: 'c', type: { kind: 'int32' } },
        ],
      },
      [[1n, [1.5, null], null]],
    ]);
    const map = { kind: 'map', key: { kind: 'string', dictionary: false }, value: { kind: 'int32' } };
    const rows = "(values (MAP {'k': 1, 'l': NULL}), (NULL), (MAP {}), (MAP {'a longer key than twelve': 3})) t(c)";
    assert.deepEqual(await typed(`from ${rows}`), [
      map,
      [
        new Map([
          ['k', 1],
          ['l', null],
        ]),
        null,
        new Map(),
        new Map([['a longer key than twelve', 3]]),
      ],
    ]);
    assert.deepEqual((await values("select [TIMESTAMP '2022-01-01 00:00:00.5', NULL] as c")).values, [[1640995200500000000n, null]]);
    assert.deepEqual(await typed("select INTERVAL '1 month 2 days -3 hours' as c"), [{ kind: 'interval' }, [[1, 2, -10_800_000_000_000n]]]);
    assert.deepEqual(await typed("select TIME '01:02:03.5' as c"), [{ kind: 'time' }, [3_723_500_000_000n]]);
    assert.deepEqual((await values('select [1, 2]::INTEGER[2] as c from range(2)')).values, [
      [1, 2],
      [1, 2],
    ]);
    assert.deepEqual(await typed('select [7::BIGINT] as c', { kind: 'list', item: { kind: 'duration' } }), [
      { kind: 'list', item: { kind: 'duration' } },
      [[7n]],
    ]);
    assert.deepEqual((await typed('select 7.5::DOUBLE as c', { kind: 'list', item: { kind: 'duration' } }))[0], { kind: 'float64' });
  });

  test('lists of every shape keep their items, whether DuckDB shares them between rows or not', async () => {
    const text = (i: number): string | null =>
      i % 5 === 0 ? null : i % 2 === 0 ? `t${i}` : `a text that is longer than twelve bytes ${i}`;
    const sqlText = (i: string): string =>
      `case when ${i} % 5 = 0 then NULL when ${i} % 2 = 0 then 't' || (${i}) else 'a text that is longer than twelve bytes ' || (${i}) end`;
    const sql = `select case when i % 7 = 3 then NULL else [x for x in [${sqlText('i')}, ${sqlText('(i + 1)')}, 'z']] end as c from range(5000) t(i)`;
    const expected = (i: number): unknown => (i % 7 === 3 ? null : [text(i), text(i + 1), 'z']);
    for (const bytesMax of [undefined, 1000]) {
      const got = await values(sql, undefined, bytesMax);
      assert.deepEqual(
        got.values,
        Array.from({ length: 5000 }, (_, i) => expected(i)),
      );
    }
    const nested = await values('select [[i, NULL], [], NULL, [i + 1]] as c from range(3000) t(i) where i % 3 <> 1');
    assert.deepEqual(
      nested.values.slice(0, 3),
      [0n, 2n, 3n].map((i) => [[i, null], [], null, [i + 1n]]),
    );
    const shared = await values("select ['same', NULL, 'a text that is longer than twelve bytes'] as c from range(3000)", undefined, 5000);
    assert.equal(shared.values.length, 3000);
    for (const value of shared.values) assert.deepEqual(value, ['same', null, 'a text that is longer than twelve bytes']);
    const structs = await values(
      "select case when i % 4 = 1 then NULL else [{'a': i, 'b': 'text ' || i}] end as c from range(3000) t(i) order by i desc",
    );
    assert.deepEqual(structs.values.slice(0, 3), [[[2999n, 'text 2999']], [[2998n, 'text 2998']], null]);
  });

  test('a chunk with many texts becomes several batches, which stay valid after later fetches', async () => {
    const result = await connection.stream('SELECT repeat(chr((97 + i % 26)::INT), 50000) || i AS a, i FROM range(4000) t(i)');
    const reader = new ResultReader(
      ['a', 'i'].map((name) => ({ name, type: undefined })),
      result.columnTypes(),
    );
    const batches: ResultBatch[] = [];
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      batches.push(...reader.batches(chunk));
    }
    assert.ok(batches.length > 10, `${batches.length} batches`);
    let row = 0;
    for (const { columns, rowCount } of batches) {
      const [text, number] = columns as [ResultVector, ResultVector];
      assert.ok(text.kind === 'string' && text.bytes.length <= BATCH_BYTES_MAX);
      for (let i = 0; i < rowCount; i++, row++) {
        assert.ok(valueAt(text, i) === `${String.fromCharCode(97 + (row % 26)).repeat(50_000)}${row}`, `row ${row}`);
        assert.equal(valueAt(number, i), BigInt(row));
      }
    }
    assert.equal(row, 4000);
  });

  test('a row that is larger than a batch may be is a batch of its own', async () => {
    const got = await values("select repeat('x', i) as c from (values (10), (2000), (3000), (5)) t(i)", undefined, 1000);
    assert.deepEqual([got.batches, got.values.map((value) => (value as string).length)], [4, [10, 2000, 3000, 5]]);
  });

  test('a text that is too long to be answered is refused', async () => {
    const result = await connection.stream("SELECT repeat('x', 1001)");
    const chunk = (await result.fetchChunk()) as unknown as { readonly chunk: DataChunk } | null;
    assert.ok(chunk);
    const headers = dataOf(duckdb, duckdb.data_chunk_get_vector(chunk.chunk, 0), 16);
    assert.throws(() => new TextSource('string', headers, undefined, 1000), {
      code: 'SQL_MEMORY',
      message: /a text of a result has 1001 bytes/,
    });
    assert.equal((valueAt(new TextSource('string', headers, undefined, 1001).read({ start: 0, count: 1 }), 0) as string).length, 1001);
  });
});
