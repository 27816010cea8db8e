import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chartData, SERIES_MAX } from '../../../src/explorer/page/chart-data.ts';
import { CsvReader } from '../../../src/explorer/page/csv.ts';
import { errorPlace } from '../../../src/explorer/page/error-place.ts';
import { isNumeric, TableData, timeSeconds } from '../../../src/explorer/page/table-data.ts';

function tableOf(csv: string): TableData {
  const data = new TableData();
  data.push(csv);
  data.end();
  return data;
}

describe('CSV of the explorer page', () => {
  it('reads every text whole, wherever it is cut', () => {
    const cell = fc.string({ maxLength: 6, unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'ü', '1') });
    const rows = fc.array(fc.tuple(fc.constant('x'), cell, cell), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.array(fc.nat(40), { maxLength: 6 }), (wanted, cuts) => {
        const text = wanted
          .map((row) => row.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(','))
          .join('\n');
        const found: string[][] = [];
        const reader = new CsvReader((cells) => found.push(cells));
        let at = 0;
        for (const cut of [...cuts].sort((a, b) => a - b)) {
          reader.push(text.slice(at, Math.max(at, cut)));
          at = Math.max(at, cut);
        }
        reader.push(text.slice(at));
        reader.end();
        assert.deepEqual(found, wanted);
      }),
    );
  });

  it('keeps integers of 64 bits and knows numbers and times', () => {
    const data = tableOf('n,t,s\n9223372036854775807,2024-01-01T00:00:00.5,a\n,,b\n');
    assert.deepEqual([data.rowCount, data.cell(0, 0), data.cell(1, 0)], [2, '9223372036854775807', '']);
    assert.deepEqual(data.columns.map(isNumeric), [true, false, false]);
    assert.equal(timeSeconds('2024-01-01T00:00:00.5'), 1_704_067_200.5);
    assert.ok(Number.isNaN(timeSeconds('2024')));
  });
});

describe('charts of the explorer page', () => {
  it('have a line for each combination of texts, gaps where a value is missing, and nothing where a series has no row', () => {
    const data = tableOf(
      'time,room,temp\n2024-01-01T00:00:00,a,1\n2024-01-01T00:00:01,b,2\n2024-01-01T00:00:02,a,\n2024-01-01T00:00:03,a,4\n',
    );
    const found = chartData(data);
    assert.ok(typeof found !== 'string');
    assert.deepEqual(
      found.times.map((time) => time - 1_704_067_200),
      [0, 1, 2, 3],
    );
    assert.deepEqual(found.series, [
      { label: 'a', values: [1, undefined, null, 4] },
      { label: 'b', values: [undefined, 2, undefined, undefined] },
    ]);
  });

  it('say what they need, and how many series are left out', () => {
    assert.match(String(chartData(tableOf('a,b\n1,2\n'))), /^A chart needs a column of times/);
    assert.match(String(chartData(tableOf('time,b\n2024-01-01T00:00:00,x\n'))), /^A chart needs a column of numbers/);
    const many = tableOf(`time,id,v\n${Array.from({ length: SERIES_MAX + 7 }, (_, i) => `2024-01-01T00:00:00,s${i},1`).join('\n')}\n`);
    const found = chartData(many);
    assert.ok(typeof found !== 'string');
    assert.deepEqual([found.series.length, found.hidden], [SERIES_MAX, 7]);
  });
});

describe('places of errors in a statement', () => {
  it('are those that the server tells, also of quoted names and behind wide characters', () => {
    for (const [statement, position, marked] of [
      ['SELECT a,\n a FROM t', { line: 2, column: 2 }, 'a'],
      ['SELECT "a b" FROM t', { line: 1, column: 8 }, '"a b"'],
      ["SELECT '🦊', nope", { line: 1, column: 13 }, 'nope'],
    ] as const) {
      const place = errorPlace(statement, 'No field named x', position);
      assert.equal(place === undefined ? undefined : statement.slice(place.from, place.to), marked);
    }
  });

  for (const [statement, message, marked] of [
    ['SELECT a\nFORM b', 'sql parser error: Expected: end of statement, found: FORM at Line: 2, Column: 1', 'FORM'],
    ['SELECT tempp FROM home', 'Schema error: No field named tempp. Valid fields are home.temp.', 'tempp'],
    ['SELECT nosuch(1)', "Error during planning: Invalid function 'nosuch'.", 'nosuch'],
    ['SELECT * FROM attic', "table 'public.iox.attic' not found", 'attic'],
    ['SELECT mean( FROM x', 'error parsing query: found FROM, expected identifier at position 14', 'FROM'],
    ['SELECT 1', 'something else', undefined],
  ] as const) {
    it(`${message} → ${marked ?? 'nowhere'}`, () => {
      const place = errorPlace(statement, message);
      assert.equal(place === undefined ? undefined : statement.slice(place.from, place.to), marked);
    });
  }
});
