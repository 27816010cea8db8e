import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResultBatch, ResultType, ResultVector } from '../../../../../src/query/result.ts';
import { column, encode, encodeColumns } from './support.ts';

const text: ResultType = { kind: 'string', dictionary: true };
const timestamp: ResultType = { kind: 'timestamp', zone: undefined };

/** Cells of one column in JSON lines, without the object around them; `absent` for a member left out. */
function jsonCells(type: ResultType, values: readonly unknown[]): string[] {
  const lines = encodeColumns('jsonl', [column('c', type, values)], values.length)
    .trimEnd()
    .split('\n');
  return lines.map((line) => (line === '{}' ? 'absent' : line.slice('{"c":'.length, -1)));
}

/** Cells of one column in CSV. */
function csvCells(type: ResultType, values: readonly unknown[]): string[] {
  const marker = column(
    'm',
    { kind: 'int32' },
    values.map(() => 0),
  );
  const lines = encodeColumns('csv', [marker, column('c', type, values)], values.length)
    .trimEnd()
    .split('\n');
  return lines.slice(1).map((line) => line.slice(2));
}

const sample = [
  column('host', text, ['a', null, 'say "hi", ü']),
  column('time', timestamp, [123n, 1_000_000_000n, 1_640_995_200_123_000_000n]),
  column('val', { kind: 'int64' }, [1n, -9223372036854775808n, null]),
];

describe('JSON', () => {
  test('one array of objects, null members left out, no spaces', () => {
    assert.equal(
      encodeColumns('json', sample, 3),
      '[{"host":"a","time":"1970-01-01T00:00:00.000000123","val":1},' +
        '{"time":"1970-01-01T00:00:01","val":-9223372036854775808},' +
        '{"host":"say \\"hi\\", ü","time":"2022-01-01T00:00:00.123"}]',
    );
    assert.equal(encode('json', [], []), '[]');
    assert.equal(encodeColumns('json', [column('a', text, [null])], 1), '[{}]');
  });

  test('lines end in a newline, no rows give nothing', () => {
    assert.equal(encodeColumns('jsonl', [column('a"b', text, ['x', null])], 2), '{"a\\"b":"x"}\n{}\n');
    assert.equal(encode('jsonl', [column('a', text, []).column], []), '');
  });

  test('several batches are one array', () => {
    const part = column('v', { kind: 'int32' }, [1]);
    const batch = { rowCount: 1, columns: [part.vector] };
    assert.equal(encode('json', [part.column], [batch, batch]), '[{"v":1},{"v":1}]');
  });

  test('columns of a series are written as if each row were by itself', () => {
    const texts = ['a"b', 'ü', 'c'];
    const coded = (codes: readonly number[]): ResultVector => ({ kind: 'coded', codes: Int32Array.from(codes), texts });
    const numbers = column('n', { kind: 'int64' }, [1n, null, 3n, 4n, 5n, null]);
    const names = ['k', 'l', 'n', 'm', 'o', 'p'];
    const columns = names.map((name) => ({ name, type: name === 'n' ? ({ kind: 'int64' } as const) : text }));
    const batch = (ids: readonly number[], owner: object, shift: number): ResultBatch => {
      const of = (codes: readonly number[]): ResultVector => coded(ids.map((id) => codes[(id + shift) % codes.length] as number));
      const vectors = [of([0, -1, 2]), of([1, -1, 0]), numbers.vector, of([-1, -1, 1]), of([2, -1, -1]), of([0, 1, 2])];
      return { rowCount: ids.length, columns: vectors, series: { ids: Int32Array.from(ids), owner } };
    };
    const [one, other] = [{}, {}];
    const batches = [batch([0, 1, 2, 0, 1, 1], one, 0), batch([2, 2, 1, 0, 1, 0], one, 0), batch([0, 1, 2, 0, 1, 1], other, 1)];
    const alone = batches.map(({ rowCount, columns }) => ({ rowCount, columns }));
    for (const format of ['json', 'jsonl', 'csv'] as const) {
      assert.equal(encode(format, columns, batches), encode(format, columns, alone), format);
    }
    assert.match(encode('jsonl', columns, batches), /^{"k":"a\\"b","l":"ü","n":1,"o":"c","p":"a\\"b"}\n{"p":"ü"}\n/);
  });

  test('floats always show a point or an exponent; not finite is null', () => {
    const cases: [number, string][] = [
      [0, '0.0'],
      [-0, '-0.0'],
      [3, '3.0'],
      [-21.37, '-21.37'],
      [0.1, '0.1'],
      [1 / 3, '0.3333333333333333'],
      [0.1 + 0.2, '0.30000000000000004'],
      [999999999, '999999999.0'],
      [1e9, '1000000000.0'],
      [9999999999, '9999999999.0'],
      [1e10, '1.0e10'],
      [12345678901.5, '1.23456789015e10'],
      [1e-5, '0.00001'],
      [1.5e-6, '1.5e-6'],
      [1e-6, '1.0e-6'],
      [0.001, '0.001'],
      [123456.78901, '123456.78901'],
      [1.7976931348623157e308, '1.7976931348623157e308'],
      [5e-324, '5.0e-324'],
      [Number.NaN, 'null'],
      [Number.POSITIVE_INFINITY, 'null'],
    ];
    assert.deepEqual(
      jsonCells(
        { kind: 'float64' },
        cases.map(([value]) => value),
      ),
      cases.map(([, expected]) => expected),
    );
    assert.deepEqual(jsonCells({ kind: 'float32' }, [0.1, 16777216, null, Number.NaN]), ['0.1', '16777216.0', 'absent', 'null']);
  });

  test('integers keep every digit', () => {
    const signed = [0n, -1n, 9n, 10n, 2147483647n, 2147483648n, 4294967296n, 999999999999999n, 2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n];
    const all = [...signed, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 53n) - 1n, 1000000000n, 1000000001n, -4294967295n];
    assert.deepEqual(jsonCells({ kind: 'int64' }, all), all.map(String));
    const unsigned = [0n, 2n ** 53n - 1n, 2n ** 63n, 2n ** 64n - 1n];
    assert.deepEqual(jsonCells({ kind: 'uint64' }, unsigned), unsigned.map(String));
    assert.deepEqual(jsonCells({ kind: 'int32' }, [-2147483648, 2147483647, null]), ['-2147483648', '2147483647', 'absent']);
  });

  test('other types', () => {
    assert.deepEqual(jsonCells({ kind: 'boolean' }, [true, false, null]), ['true', 'false', 'absent']);
    assert.deepEqual(jsonCells({ kind: 'date' }, [18993, -1, 11016]), ['"2022-01-01"', '"1969-12-31"', '"2000-02-29"']);
    assert.deepEqual(jsonCells({ kind: 'duration' }, [3_600_000_000_000n, -500_000_000n, 0n, 1n]), [
      '"PT3600S"',
      '"-PT0.5S"',
      '"P0D"',
      '"PT0.000000001S"',
    ]);
    assert.deepEqual(jsonCells({ kind: 'binary' }, [Buffer.from([0xde, 0xad]), null]), ['"dead"', 'absent']);
    assert.deepEqual(jsonCells({ kind: 'null' }, [null]), ['absent']);
    assert.deepEqual(jsonCells({ kind: 'time' }, [0n, 86_399_000_000_000n, 3_723_500_000_000n, 1n]), [
      '"00:00:00"',
      '"23:59:59"',
      '"01:02:03.500"',
      '"00:00:00.000000001"',
    ]);
    const intervals = [[1, 2, 10_800_000_000_000n], [0, 0, -1_500_000_000n], [0, 0, 0n], null];
    assert.deepEqual(jsonCells({ kind: 'interval' }, intervals), ['"1 mons 2 days 3 hours"', '"-1.500000000 secs"', '"0 secs"', 'absent']);
    assert.deepEqual(jsonCells({ kind: 'hugeint', signed: true }, [2n ** 100n, -(2n ** 64n) - 1n]), [
      String(2n ** 100n),
      '-18446744073709551617',
    ]);
    assert.deepEqual(jsonCells({ kind: 'hugeint', signed: false }, [2n ** 128n - 1n]), [String(2n ** 128n - 1n)]);
    const decimal: ResultType = { kind: 'decimal', precision: 38, scale: 3 };
    assert.deepEqual(jsonCells(decimal, [1234n, -1n, null, 10n ** 24n + 1n, 2000n]), [
      '1.234',
      '-0.001',
      'absent',
      '1000000000000000000000.001',
      '2.000',
    ]);
  });

  test('members that are null are left out, list items that are null stay', () => {
    const list: ResultType = { kind: 'list', item: { kind: 'float64' } };
    assert.deepEqual(jsonCells(list, [[1.5, null, Number.NaN], [], null, [2]]), ['[1.5,null,null]', '[]', 'absent', '[2.0]']);
    const members = [
      { name: 'a', type: { kind: 'int64' } },
      { name: 'b"', type: text },
      { name: 'c', type: { kind: 'list', item: text } },
    ] as const;
    const structs = [{ a: 1n, 'b"': null, c: ['x', null, 'ü"'] }, { a: null, 'b"': 'y', c: null }, { a: null, 'b"': null, c: null }, null];
    assert.deepEqual(jsonCells({ kind: 'struct', members }, structs), ['{"a":1,"c":["x",null,"ü\\""]}', '{"b\\"":"y"}', '{}', 'absent']);
    const map: ResultType = { kind: 'map', key: text, value: { kind: 'boolean' } };
    assert.deepEqual(
      jsonCells(map, [
        new Map([
          ['k', true],
          ['l', null],
          ['m', false],
        ]),
        new Map(),
      ]),
      ['{"k":true,"m":false}', '{}'],
    );
    const numbered: ResultType = { kind: 'map', key: { kind: 'int64' }, value: { kind: 'list', item: { kind: 'date' } } };
    assert.deepEqual(jsonCells(numbered, [new Map([[7n, [0, null]]])]), ['{"7":["1970-01-01",null]}']);
  });

  test('strings are escaped like JSON.stringify does', () => {
    const strings = ['', 'plain', '\n\t\r\b\f\u0001\u001f\x7f', 'back\\slash "quote"', 'ünïcode 🙂', 'x'.repeat(40), `${'x'.repeat(40)}"ü`];
    assert.deepEqual(
      jsonCells(text, strings),
      strings.map((value) => JSON.stringify(value)),
    );
  });
});

describe('CSV', () => {
  test('header, rows, quotes only where needed, null and empty both empty', () => {
    assert.equal(
      encodeColumns('csv', [...sample, column('s,x', text, ['', 'two\nlines', 'cr\r'])], 3),
      'host,time,val,"s,x"\n' +
        'a,1970-01-01T00:00:00.000000123,1,\n' +
        ',1970-01-01T00:00:01,-9223372036854775808,"two\nlines"\n' +
        '"say ""hi"", ü",2022-01-01T00:00:00.123,,"cr\r"\n',
    );
  });

  test('no rows give no header', () => {
    assert.equal(encode('csv', [column('a', text, []).column], []), '');
    assert.equal(encode('csv', [column('a', text, []).column], [{ rowCount: 0, columns: [column('a', text, []).vector] }]), '');
  });

  test('compat: a record of one empty cell is quoted', () => {
    assert.equal(encodeColumns('csv', [column('a', text, [null, '', 'x'])], 3), 'a\n""\n""\nx\n');
  });

  test('floats are spelled the display way', () => {
    assert.deepEqual(
      csvCells({ kind: 'float64' }, [21, 1e20, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e10, 1e15]),
      ['21.0', '1e20', 'NaN', 'inf', '-inf', '10000000000.0', '1000000000000000.0'],
    );
    assert.deepEqual(csvCells({ kind: 'float64' }, [1e16, 1.5e-7, 0.00001, null]), ['1e16', '1.5e-7', '0.00001', '']);
  });

  test('lists of plain values print in brackets, quoted when they hold a comma', () => {
    assert.deepEqual(csvCells({ kind: 'list', item: text }, [['a', 'b'], ['say "x"'], [], null]), ['"[a, b]"', '"[say ""x""]"', '[]', '']);
    assert.deepEqual(csvCells({ kind: 'list', item: { kind: 'float64' } }, [[null, 2.5], [1e20]]), ['"[, 2.5]"', '[1e20]']);
  });

  test('other nested values are refused', () => {
    const struct: ResultType = { kind: 'struct', members: [{ name: 'b', type: { kind: 'int64' } }] };
    for (const [type, value] of [
      [struct, { b: 1n }],
      [{ kind: 'list', item: struct }, [{ b: 1n }]],
      [{ kind: 'map', key: text, value: text }, new Map()],
    ] as const) {
      assert.throws(() => encodeColumns('csv', [column('a', type, [value])], 1), { message: /Nested type is not supported in CSV/ });
      assert.equal(encodeColumns('csv', [column('a', type, [null])], 1), 'a\n""\n');
    }
    assert.deepEqual(csvCells({ kind: 'list', item: struct }, [[], [null]]), ['[]', '[]']);
  });
});

describe('pretty', () => {
  test('ASCII grid, left-aligned, null blank, no newline at the end', () => {
    assert.equal(
      encodeColumns('pretty', [column('a', text, ['x', null]), column('value', { kind: 'float64' }, [1.5, 22])], 2),
      '+---+-------+\n| a | value |\n+---+-------+\n| x | 1.5   |\n|   | 22.0  |\n+---+-------+',
    );
  });

  test('nested values in brackets, texts without quotes', () => {
    const struct: ResultType = {
      kind: 'struct',
      members: [
        { name: 'a', type: { kind: 'int64' } },
        { name: 'b', type: { kind: 'list', item: text } },
      ],
    };
    const map: ResultType = { kind: 'map', key: text, value: { kind: 'float64' } };
    const columns = [column('s', struct, [{ a: null, b: ['x', null] }]), column('m', map, [new Map([['k', 1]])])];
    assert.match(encodeColumns('pretty', columns, 1), /\| \{a: , b: \[x, \]\} \| \{k: 1\.0\} \|/);
  });

  test('no rows give an empty box', () => {
    assert.equal(encode('pretty', [column('a', text, []).column], []), '++\n++');
  });

  test('wide characters and line breaks keep the grid straight', () => {
    assert.equal(
      encodeColumns('pretty', [column('a', text, ['日本', 'one\ntwo']), column('b', { kind: 'int32' }, [1, 2])], 2),
      '+------+---+\n| a    | b |\n+------+---+\n| 日本 | 1 |\n| one  | 2 |\n| two  |   |\n+------+---+',
    );
  });
});

describe('timestamps', () => {
  test('print 0, 3, 6 or 9 fraction digits and no Z', () => {
    const cases: [bigint, string][] = [
      [0n, '1970-01-01T00:00:00'],
      [1n, '1970-01-01T00:00:00.000000001'],
      [1000n, '1970-01-01T00:00:00.000001'],
      [120_000_000n, '1970-01-01T00:00:00.120'],
      [-1n, '1969-12-31T23:59:59.999999999'],
      [-1_000_000_000n, '1969-12-31T23:59:59'],
      [2n ** 63n - 1n, '2262-04-11T23:47:16.854775807'],
      [-(2n ** 63n), '1677-09-21T00:12:43.145224192'],
      [951_782_400_000_000_000n, '2000-02-29T00:00:00'],
      [4_102_444_799_999_999_999n, '2099-12-31T23:59:59.999999999'],
    ];
    const values = cases.map(([ns]) => ns);
    assert.deepEqual(
      csvCells(timestamp, values),
      cases.map(([, expected]) => expected),
    );
  });

  test('a zone adds Z or the offset of that moment', () => {
    const zoned = (zone: string): ResultType => ({ kind: 'timestamp', zone });
    const summer = 1_657_000_000_000_000_000n;
    const winter = 1_641_000_000_500_000_000n;
    assert.deepEqual(csvCells(zoned('UTC'), [winter]), ['2022-01-01T01:20:00.500Z']);
    assert.deepEqual(csvCells(zoned('Europe/London'), [summer, winter]), ['2022-07-05T06:46:40+01:00', '2022-01-01T01:20:00.500Z']);
    assert.deepEqual(csvCells(zoned('Europe/Berlin'), [summer, winter]), ['2022-07-05T07:46:40+02:00', '2022-01-01T02:20:00.500+01:00']);
    assert.deepEqual(csvCells(zoned('-05:30'), [winter]), ['2021-12-31T19:50:00.500-05:30']);
    assert.deepEqual(csvCells(zoned('America/New_York'), [winter]), ['2021-12-31T20:20:00.500-05:00']);
  });
});
