import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SchemaTransaction, TableSchema } from '../../../../src/catalog/schema.ts';
import type { ParseOptions } from '../../../../src/write/line-protocol/index.ts';
import type { SeriesIndex } from '../../../../src/write/series/index.ts';
import { FakeCatalog, Harness, type Row, rowsOf } from './fake-catalog.ts';

/** Fields of the wide table: few enough for a body, enough to pass a small limit of column memory. */
const FIELDS = 200;
const MANY = 20_000;
const COLUMN_BYTES_MAX = 1024 * 1024;

/** A catalog whose `seriesOf` can be made to fail, as a bug of ours would. */
class BrokenCatalog extends FakeCatalog {
  broken = false;

  override seriesOf(table: TableSchema): SeriesIndex {
    if (this.broken && table.name === 'other') throw new Error('broken');
    return super.seriesOf(table);
  }
}

interface Started {
  readonly harness: Harness;
  readonly catalog: BrokenCatalog;
}

/** A parser that knows the tables m (wide), other, and text. */
function started(): Started {
  const catalog = new BrokenCatalog();
  const harness = new Harness(catalog, { columnBytesMax: COLUMN_BYTES_MAX });
  const fields = Array.from({ length: FIELDS }, (_, i) => `f${i}=0i`).join(',');
  harness.write(`m,host=first,zone=z ${fields} 1\nother,host=first v=0i,s="x" 1\n`);
  harness.write(next('known').lines.join(''));
  return { harness, catalog };
}

/** New series of a body that is refused: rows of them wait for their series when the refusal comes. */
function newSeries(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `m,host=refused${i},zone=z f0=${i}i ${i}\n`);
}

/**
 * Many rows of one column, rows of new series of another table, and then rows that touch one more column each, every one of
 * which takes memory for all rows before: the refusal comes while the new series are still to be looked up.
 */
function sparse(): string[] {
  const many = Array.from({ length: MANY }, (_, i) => `m,host=first,zone=z f0=${i}i ${i}\n`);
  const fresh = Array.from({ length: 50 }, (_, i) => `other,host=fresh${i} v=${i}i ${i}\n`);
  return [...many, ...fresh, ...Array.from({ length: FIELDS }, (_, i) => `m,host=first,zone=z f${i}=1i ${i}\n`)];
}

interface Refusal {
  readonly name: string;
  readonly error: RegExp | { readonly code: string };
  readonly body: readonly string[];
  readonly options?: Partial<ParseOptions>;
  readonly before?: (catalog: BrokenCatalog, transaction: SchemaTransaction) => void;
  readonly use?: () => never;
}

const refusals: readonly Refusal[] = [
  { name: 'too sparse, with rows that wait for their series', error: { code: 'WRITE_TOO_SPARSE' }, body: sparse() },
  {
    name: 'too sparse on a line of the slow path',
    error: { code: 'WRITE_TOO_SPARSE' },
    // Two spaces before the fields are beyond the hot loop.
    body: sparse().map((line, i) => (i < MANY + 50 ? line : line.replace(' f', '  f'))),
  },
  {
    name: 'a bad line without partial acceptance',
    error: { code: 'LINE_PROTOCOL' },
    body: [...newSeries(40), 'm,host=bad,zone=z f0=nonsense 1\n', ...newSeries(3)],
    options: { acceptPartial: false },
  },
  {
    name: 'a value of another type without partial acceptance',
    error: { code: 'LINE_PROTOCOL' },
    body: [...newSeries(40), 'm,host=bad,zone=z f1=1i,f0="text" 1\n'],
    options: { acceptPartial: false },
  },
  {
    name: 'an error of ours in the middle of a line',
    error: /broken/,
    body: [...newSeries(40), 'other,host=refused v=1i 1\n'],
    before: (catalog) => {
      catalog.broken = true;
    },
  },
  {
    name: 'an error while additions are staged',
    error: /no staging/,
    body: [...newSeries(40), 'm,host=refused,zone=z added=1i 1\n'],
    before: (_catalog, transaction) => {
      Object.assign(transaction, {
        stage() {
          throw new Error('no staging');
        },
      });
    },
  },
  {
    name: 'an error of whoever took the rows',
    error: /cannot encode/,
    body: [...newSeries(40), 'other,host=refused v=1i,s="refused" 1\n'],
    use: () => {
      throw new Error('cannot encode');
    },
  },
];

/** Bodies that follow; the rows of each can be told from the lines. */
function next(name: string): { readonly lines: string[]; readonly rows: Row[] } {
  const lines: string[] = [];
  const rows: Row[] = [];
  for (let i = 0; i < 300; i++) {
    lines.push(`m,host=${name}${i},zone=z f0=${i}i ${i + 1000}\n`);
    rows.push({ table: 'm', tags: { host: `${name}${i}`, zone: 'z' }, fields: { f0: BigInt(i) }, timeNs: BigInt(i + 1000) });
  }
  for (let i = 0; i < 300; i++) {
    lines.push(`other,host=${name}${i} v=${i}i,s="text ${i}"\n`);
    const timeNs = 1_700_000_000_123_456_789n;
    rows.push({ table: 'other', tags: { host: `${name}${i}` }, fields: { v: BigInt(i), s: `text ${i}` }, timeNs });
  }
  return { lines, rows };
}

for (const refusal of refusals) {
  test(`a refused body leaves nothing to the next: ${refusal.name}`, () => {
    const { harness, catalog } = started();
    for (let round = 0; round < 3; round++) {
      const transaction = catalog.begin();
      refusal.before?.(catalog, transaction);
      const options = { precision: 'second', acceptPartial: true, ingestTimeNs: 5n, ...refusal.options } as const;
      const body = Buffer.from(refusal.body.join(''));
      assert.throws(() => harness.parser.parse(body, transaction, options, refusal.use ?? (() => undefined)), refusal.error);
      catalog.broken = false;
      for (const { lines, rows } of [next('known'), next(`fresh${round}`), next('known')]) {
        const text = lines.join('');
        assert.deepEqual(rowsOf(harness.write(text)), rows);
      }
    }
  });
}

test('the rows of a body cannot be looked at once its parse has returned, nor given to anything that waits', () => {
  const { harness, catalog } = started();
  const body = Buffer.from('m,host=a,zone=z f0=1i 1\n');
  const options = { precision: 'nanosecond', acceptPartial: true, ingestTimeNs: 0n } as const;
  const { result } = harness.parser.parse(body, catalog.begin(), options, (rows) => {
    assert.equal(rows.value.length, 1);
    return { rows };
  });
  assert.throws(() => result?.rows.value, /given back/);
  assert.throws(() => {
    // @ts-expect-error a promise would go on with rows that are no longer lent
    harness.parser.parse(body, catalog.begin(), options, async () => undefined);
  }, /asynchronously/);
  harness.parser.parse(body, catalog.begin(), options, () => {
    assert.throws(() => harness.parser.parse(body, catalog.begin(), options, () => undefined), /while its rows are lent/);
  });
  assert.deepEqual(
    rowsOf(harness.write(body)).map((row) => row.fields),
    [{ f0: 1n }],
  );
});
