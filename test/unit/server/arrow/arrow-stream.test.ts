import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DataType, type Schema, type Table, tableFromIPC } from 'apache-arrow';
import type { ResultBatch, ResultColumn, ResultType, ResultVector } from '../../../../src/query/result.ts';
import { BatchRanges } from '../../../../src/server/arrow/batch-ranges.ts';
import { CodedTexts } from '../../../../src/server/arrow/coded-texts.ts';
import { RecordBatchWriter } from '../../../../src/server/arrow/record-batch.ts';
import { encoders, TextSink } from '../../../../src/server/http/response/formats/index.ts';
import { schemaMessage } from '../../../../src/shared/arrow/schema-message.ts';
import { vectorOf } from '../../../support/result-vectors.ts';

/** A result as apache-arrow reads it. */
function read(columns: readonly ResultColumn[], batches: readonly ResultBatch[]): Table {
  const encoder = encoders.arrow(columns, new TextSink(16));
  for (const batch of batches) encoder.batch(batch);
  encoder.end();
  return tableFromIPC(encoder.sink.take());
}

/** One column of plain values, in one batch. */
function column(
  type: ResultType,
  values: readonly unknown[],
): { readonly type: string; readonly values: unknown[]; readonly nulls: number } {
  const table = read([{ name: 'c', type }], [{ rowCount: values.length, columns: [vectorOf(type, values)] }]);
  const vector = table.getChildAt(0);
  assert.ok(vector);
  assert.equal(vector.length, values.length);
  return { type: String(vector.type), values: Array.from(vector, plain), nulls: vector.nullCount };
}

/** Values of apache-arrow as `vectorOf` takes them, as far as it has them. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return value;
  if (Symbol.iterator in value && 'toArray' in value) return Array.from(value as Iterable<unknown>, plain);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

const text: ResultType = { kind: 'string', dictionary: false };

/** Field of Message. */
const BODY_LENGTH = 3;

describe('Arrow streams', () => {
  test('numbers, booleans and texts keep their values and their nulls', () => {
    const cases: [ResultType, string, unknown[]][] = [
      [{ kind: 'float64' }, 'Float64', [1.5, null, -0, Number.NaN, Number.POSITIVE_INFINITY]],
      [{ kind: 'float32' }, 'Float32', [0.5, null]],
      [{ kind: 'int64' }, 'Int64', [2n ** 63n - 1n, null, -(2n ** 63n)]],
      [{ kind: 'uint64' }, 'Uint64', [2n ** 64n - 1n, 0n, null]],
      [{ kind: 'int8' }, 'Int8', [-128, 127, null]],
      [{ kind: 'int16' }, 'Int16', [-32768, 32767]],
      [{ kind: 'int32' }, 'Int32', [-2147483648, 2147483647, null]],
      [{ kind: 'uint8' }, 'Uint8', [255, null]],
      [{ kind: 'uint16' }, 'Uint16', [65535]],
      [{ kind: 'uint32' }, 'Uint32', [4294967295, null]],
      [{ kind: 'boolean' }, 'Bool', [true, false, null, true, true, false, false, true, null, true]],
      [text, 'Utf8', ['', 'a', null, 'ünï 🙂', 'x'.repeat(1000)]],
      [{ kind: 'binary' }, 'Binary', [Buffer.from([1, 255]), null, Buffer.alloc(0)]],
      [{ kind: 'null' }, 'Null', [null, null]],
    ];
    for (const [type, name, values] of cases) {
      const got = column(type, values);
      assert.deepEqual([got.type, got.values], [name, values], name);
      assert.equal(got.nulls, values.filter((value) => value === null).length, name);
    }
  });

  test('times have the unit and the zone of their column', () => {
    const ns = [1_640_995_200_123_456_789n, -1n, null];
    const raw = (type: ResultType): unknown[] => {
      const table = read([{ name: 'c', type }], [{ rowCount: 3, columns: [vectorOf(type, ns)] }]);
      return Array.from((table.getChildAt(0)?.data[0]?.values ?? []) as BigInt64Array).slice(0, 2);
    };
    assert.deepEqual(raw({ kind: 'timestamp', zone: undefined }), ns.slice(0, 2));
    assert.deepEqual(raw({ kind: 'timestamp', zone: undefined, unit: 'us' }), [1_640_995_200_123_456n, -1n]);
    assert.deepEqual(raw({ kind: 'timestamp', zone: 'UTC', unit: 'ms' }), [1_640_995_200_123n, -1n]);
    assert.deepEqual(raw({ kind: 'timestamp', zone: '+01:00', unit: 's' }), [1_640_995_200n, -1n]);
    assert.equal(column({ kind: 'timestamp', zone: undefined }, ns).type, 'Timestamp<NANOSECOND>');
    assert.equal(column({ kind: 'timestamp', zone: 'Europe/Berlin', unit: 's' }, ns).type, 'Timestamp<SECOND, Europe/Berlin>');
    assert.equal(column({ kind: 'timestamp', zone: undefined }, ns).nulls, 1);
    assert.deepEqual(column({ kind: 'duration' }, [5n, null, -7n]).values, [5n, null, -7n]);
    assert.equal(column({ kind: 'duration' }, [5n]).type, 'Duration<NANOSECOND>');
    assert.deepEqual(
      [column({ kind: 'time' }, [1n, null])].map(({ type, values }) => [type, values]),
      [['Time64<NANOSECOND>', [1n, null]]],
    );
    assert.deepEqual(column({ kind: 'date' }, [1, null, -1]).values.map(Number), [86_400_000, 0, -86_400_000]);
    assert.equal(column({ kind: 'date' }, [1]).type, 'Date32<DAY>');
  });

  test('intervals, decimals and numbers of 128 bits', () => {
    const interval = column({ kind: 'interval' }, [[1, -2, 3_000_000_001n], null]);
    assert.equal(interval.type, 'Interval<MONTH_DAY_NANO>');
    assert.deepEqual(
      Array.from(interval.values[0] as Int32Array),
      [1, -2, 3_000_000_001 % 2 ** 32, 0].map((word) => word | 0),
    );
    assert.equal(interval.values[1], null);
    const decimal = column({ kind: 'decimal', precision: 20, scale: 2 }, [12345n, null, -1n]);
    assert.equal(decimal.type, 'Decimal[20e+2]');
    assert.deepEqual(
      decimal.values.map((value) => value && Array.from(value as Uint32Array)),
      [[12345, 0, 0, 0], null, [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]],
    );
    const huge = column({ kind: 'hugeint', signed: true }, [2n ** 100n + 1n]);
    assert.deepEqual([huge.type, Array.from(huge.values[0] as Uint32Array)], ['Decimal[38e0]', [1, 0, 0, 16]]);
  });

  test('lists, structs and maps, in each other', () => {
    const list: ResultType = { kind: 'list', item: text };
    assert.deepEqual(column(list, [['a', null], [], null, ['b']]), {
      type: 'List<Utf8>',
      values: [['a', null], [], null, ['b']],
      nulls: 1,
    });
    const members = [
      { name: 'n', type: { kind: 'int64' } },
      { name: 'l', type: { kind: 'list', item: { kind: 'list', item: { kind: 'boolean' } } } },
    ] as const;
    const structs = [{ n: 1n, l: [[true], null, []] }, null, { n: null, l: null }];
    assert.deepEqual(column({ kind: 'struct', members }, structs).values, structs);
    const map: ResultType = { kind: 'map', key: text, value: { kind: 'struct', members } };
    const maps = [
      new Map([['k', structs[0]]]),
      new Map(),
      null,
      new Map([
        ['x', null],
        ['y', structs[2]],
      ]),
    ];
    const expected = maps.map((value) => value && Object.fromEntries(value));
    assert.deepEqual(column(map, maps).values, expected);
  });

  test('rows of several batches become record batches without a seam', () => {
    const types: ResultType[] = [
      { kind: 'int64' },
      text,
      { kind: 'boolean' },
      { kind: 'list', item: text },
      { kind: 'struct', members: [{ name: 'a', type: { kind: 'float64' } }] },
      { kind: 'timestamp', zone: undefined, unit: 's' },
      { kind: 'decimal', precision: 38, scale: 0 },
      { kind: 'null' },
    ];
    const value = (type: ResultType, i: number): unknown => {
      if (i % 7 === 3 || type.kind === 'null') return null;
      if (type.kind === 'string') return `text ${i}`;
      if (type.kind === 'boolean') return i % 3 === 0;
      if (type.kind === 'list') return Array.from({ length: i % 4 }, (_, k) => (k === 1 ? null : `item ${i}.${k}`));
      return type.kind === 'struct' ? { a: i / 2 } : type.kind === 'timestamp' ? BigInt(i) * 1_000_000_000n : BigInt(i);
    };
    const rows = 1000;
    const whole = types.map((type) =>
      vectorOf(
        type,
        Array.from({ length: rows }, (_, i) => value(type, i)),
      ),
    );
    const columns = types.map((type, i) => ({ name: `c${i}`, type }));
    const expected = read(columns, [{ rowCount: rows, columns: whole }]);
    for (const sizes of [[1, 2, 3, 5, 7], [8, 16], [997], [64, 9]]) {
      const batches: ResultBatch[] = [];
      for (let from = 0, i = 0; from < rows; i++) {
        const count = Math.min(rows - from, sizes[i % sizes.length] as number);
        const part = Array.from({ length: count }, (_, row) => from + row);
        batches.push({
          rowCount: count,
          columns: types.map((type) =>
            vectorOf(
              type,
              part.map((row) => value(type, row)),
            ),
          ),
        });
        from += count;
      }
      const got = read(columns, batches);
      assert.equal(got.numRows, rows);
      for (let i = 0; i < columns.length; i++) {
        assert.deepEqual(Array.from(got.getChildAt(i) ?? [], plain), Array.from(expected.getChildAt(i) ?? [], plain), `${sizes} ${i}`);
        assert.equal(got.getChildAt(i)?.nullCount, expected.getChildAt(i)?.nullCount);
      }
    }
  });

  test('texts by numbers are spelled out', () => {
    const texts = ['a', 'ü', 'x'.repeat(100)];
    const coded = (codes: readonly number[]): ResultVector => ({ kind: 'coded', codes: Int32Array.from(codes), texts });
    const table = read(
      [{ name: 'c', type: { kind: 'string', dictionary: true } }],
      [
        { rowCount: 3, columns: [coded([0, -1, 2])] },
        { rowCount: 2, columns: [coded([1, 1])] },
      ],
    );
    assert.deepEqual(Array.from(table.getChildAt(0) ?? []), ['a', null, texts[2], 'ü', 'ü']);
    assert.ok(DataType.isUtf8(table.schema.fields[0]?.type));
  });

  test('the schema says which stored column a column is, and what is never null; it is there without rows too', () => {
    const columns: ResultColumn[] = [
      { name: 'time', type: { kind: 'timestamp', zone: undefined }, stored: 'time', required: true },
      { name: 'host ü', type: { kind: 'string', dictionary: true }, stored: 'tag' },
      { name: 'f', type: { kind: 'float64' }, stored: 'float' },
      { name: 'u', type: { kind: 'uint64' }, stored: 'uinteger' },
      { name: 'sum', type: { kind: 'float64' } },
    ];
    const { schema } = read(columns, []) as { schema: Schema };
    assert.deepEqual(
      schema.fields.map((field) => [field.name, String(field.type), field.nullable, field.metadata.get('iox::column::type')]),
      [
        ['time', 'Timestamp<NANOSECOND>', false, 'iox::column_type::timestamp'],
        ['host ü', 'Utf8', true, 'iox::column_type::tag'],
        ['f', 'Float64', true, 'iox::column_type::field::float'],
        ['u', 'Uint64', true, 'iox::column_type::field::uinteger'],
        ['sum', 'Float64', true, undefined],
      ],
    );
  });

  test('schema messages hold no number of 64 bits: Rust clients read them four bytes off their alignment', () => {
    const message = schemaMessage({ fields: [{ name: 'a', type: { kind: 'int', bits: 64, signed: true }, nullable: true }] });
    const table = message.readUInt32LE(0);
    const vtable = table - message.readInt32LE(table);
    const slots = (message.readUInt16LE(vtable) - 4) / 2;
    const places = Array.from({ length: slots }, (_, i) => message.readUInt16LE(vtable + 4 + i * 2));
    assert.equal(places[BODY_LENGTH] ?? 0, 0);
  });

  test('record batches are cut by rows and by bytes; a row that is larger alone goes alone', () => {
    const batch = (sizes: readonly number[]): ResultBatch => ({
      rowCount: sizes.length,
      columns: [
        vectorOf(
          text,
          sizes.map((size) => 'x'.repeat(size)),
        ),
      ],
    });
    const cut = (batches: readonly ResultBatch[]): number[] => {
      const ranges = new BatchRanges(new CodedTexts(), 4, 100);
      const sizes: number[] = [];
      const count = (parts: readonly { from: number; to: number }[]): number => parts.reduce((sum, { from, to }) => sum + to - from, 0);
      for (const each of batches) for (const parts of ranges.add(each)) sizes.push(count(parts));
      const rest = ranges.rest();
      return rest.length === 0 ? sizes : [...sizes, count(rest)];
    };
    assert.deepEqual(cut([batch([1, 1]), batch([1, 1]), batch([1, 1, 1, 1, 1])]), [2, 4, 3]);
    assert.deepEqual(cut([batch([1, 1, 1, 1, 1, 1, 1, 1, 1])]), [4, 4, 1]);
    assert.deepEqual(cut([batch([500, 1, 1, 500, 40, 40, 40])]), [1, 2, 1, 1, 2]);
    assert.deepEqual(cut([]), []);
    const writer = new RecordBatchWriter([{ name: 'c', type: text }]);
    assert.equal(writer.write([]).body.length % 8, 0);
  });
});
