import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIME_NS_MAX } from '../../../../src/shared/time-range.ts';
import { LineProtocolError } from '../../../../src/write/line-protocol/index.ts';
import { FakeCatalog, Harness, INGEST_NS, rowsOf } from './fake-catalog.ts';

const conflict = (column: string, expected: string, got: string): string =>
  `invalid column type for column '${column}', expected iox::column_type::${expected}, got iox::column_type::${got}`;

/** The first line error's message. */
function refused(harness: Harness, line: string): string | undefined {
  const tables = new Map([...harness.catalog.tables].map(([name, table]) => [name, table.columns.length]));
  const parsed = harness.write(line);
  assert.equal(parsed.acceptedLines, 0);
  assert.deepEqual(
    new Map([...harness.catalog.tables].map(([name, table]) => [name, table.columns.length])),
    tables,
    'no trace in the schema',
  );
  assert.deepEqual(rowsOf(parsed), []);
  return parsed.lineErrors[0]?.errorMessage;
}

function withTable(): Harness {
  const harness = new Harness();
  harness.write('m,t=a f=1i 1');
  return harness;
}

test('the first line creates table, tag, field and time in this order', () => {
  const { catalog } = withTable();
  assert.deepEqual(
    catalog.tables.get('m')?.columns.map(({ name, type }) => [name, type]),
    [
      ['t', 'tag'],
      ['f', 'integer'],
      ['time', 'time'],
    ],
  );
});

test('a float does not go into an integer column', () => {
  assert.equal(refused(withTable(), 'm,t=a f=1 2'), conflict('f', 'field::integer', 'field::float'));
});

test('an unsigned value does not go into an integer column', () => {
  assert.equal(refused(withTable(), 'm,t=a f=1u 2'), conflict('f', 'field::integer', 'field::uinteger'));
});

test('a field cannot have the name of a tag', () => {
  assert.equal(refused(withTable(), 'm f=2i,t="x" 3'), conflict('t', 'tag', 'field::string'));
});

test('a tag cannot have the name of a field', () => {
  assert.equal(refused(withTable(), 'm,f=x g=1 3'), conflict('f', 'field::integer', 'tag'));
});

test('time of a known table is neither field nor tag', () => {
  assert.equal(refused(withTable(), 'm,t=a time=5i 3'), conflict('time', 'timestamp', 'field::integer'));
  assert.equal(refused(withTable(), 'm,time=a f=5i 3'), conflict('time', 'timestamp', 'tag'));
});

test('reserved columns of a new table, which then does not exist', () => {
  const harness = withTable();
  assert.equal(refused(harness, 'n time=5i 3'), "'time' is a reserved column");
  assert.equal(refused(harness, 'n,__chunk_order=5 f=1 3'), "'__chunk_order' is a reserved column");
  assert.equal(harness.catalog.tables.has('n'), false);
});

test('a field twice in a line', () => {
  assert.equal(refused(withTable(), 'm f=1i,f=2i 3'), "invalid line protocol - multiple instances of 'f' field found");
  assert.equal(refused(new Harness(), 'm f=1i,f=2i 3'), "invalid line protocol - multiple instances of 'f' field found");
});

test('a tag twice in a line', () => {
  assert.equal(refused(withTable(), 'm,t=a,t=b f=1i 3'), "invalid line protocol - multiple instances of 't' tag found");
  assert.equal(refused(new Harness(), 'm,t=a,t=b f=1i 3'), "invalid line protocol - multiple instances of 't' tag found");
});

test('new tags and fields of a known table, absent ones stay absent', () => {
  const harness = withTable();
  assert.deepEqual(harness.rows('m,t=a,u=z f=2i 4\nm,t=a g=2.5 1\nm,t=a f=9i 1\nm,u=z,t=a g=1 5'), [
    { table: 'm', tags: { t: 'a', u: 'z' }, fields: { f: 2n }, timeNs: 4n },
    { table: 'm', tags: { t: 'a' }, fields: { g: 2.5 }, timeNs: 1n },
    { table: 'm', tags: { t: 'a' }, fields: { f: 9n }, timeNs: 1n },
    { table: 'm', tags: { t: 'a', u: 'z' }, fields: { g: 1 }, timeNs: 5n },
  ]);
  const series = harness.catalog.seriesOf(harness.catalog.tables.get('m') ?? assert.fail());
  assert.equal(series.count, 2, 'the order of tags in a line makes no other series');
});

test('a name is a tag or a field, also inside one line', () => {
  assert.equal(refused(new Harness(), 'm,a=1 a=2'), conflict('a', 'tag', 'field::float'));
});

test('the first accepted line of a request fixes the type for the later ones', () => {
  const parsed = new Harness().write('m f=1 1\nm f=1i 2\nm f=2 3');
  assert.deepEqual(
    parsed.lineErrors.map(({ errorMessage, lineNumber }) => [errorMessage, lineNumber]),
    [[conflict('f', 'field::float', 'field::integer'), 2]],
  );
  assert.deepEqual(
    rowsOf(parsed).map(({ timeNs }) => timeNs),
    [1n, 3n],
  );
});

test('table and column limits are line errors', () => {
  const harness = new Harness(new FakeCatalog({ maxTables: 1, maxColumns: 2 }));
  harness.write('m,t=a f=1 1');
  assert.equal(
    refused(harness, 'n f=1'),
    'Update to schema would exceed number of tables limit: attempted to create table but already have 1 table(s) (limit: 1)',
  );
  assert.equal(refused(harness, 'm g=1'), 'Update to schema would exceed number of columns per table limit of 2 columns');
});

test('an out of range timestamp is found last and leaves no trace', () => {
  const harness = withTable();
  const parsed = harness.write('m,t=a new=1 9223372037', { precision: 'second' });
  assert.equal(parsed.lineErrors[0]?.errorMessage, 'timestamp, 9223372037, out of range for precision: Second');
  assert.equal(harness.catalog.tables.get('m')?.columns.length, 3);
});

test('a parse error wins over a schema error of the same line', () => {
  assert.equal(refused(withTable(), 'm,t=a f=1 2 x'), 'Could not parse entire line. Found trailing content: `x`');
});

test('a refused line leaves no row, no series and no value behind', () => {
  const harness = withTable();
  const body = 'm,t=a f=1i 1\nm,t=bad f=2i,x\nm,t=worse f=3i,f=4i\nm,t=a f=5i 2\nm,t=a f=bad\nm,t=c f=6i 3';
  const parsed = harness.write(body);
  assert.deepEqual(
    parsed.lineErrors.map(({ lineNumber }) => lineNumber),
    [2, 3, 5],
  );
  assert.deepEqual(
    rowsOf(parsed).map(({ tags, fields }) => [tags['t'], fields['f']]),
    [
      ['a', 1n],
      ['a', 5n],
      ['c', 6n],
    ],
  );
  assert.equal(harness.catalog.seriesOf(harness.catalog.tables.get('m') ?? assert.fail()).count, 2);
});

test('string columns lose the text of a refused line', () => {
  const harness = new Harness();
  harness.write('m s="",v=1 1');
  const parsed = harness.write('m s="one",v=1 1\nm s="lost",v=oops 2\nm v=2 3\nm s="three" 4');
  assert.deepEqual(
    rowsOf(parsed).map(({ fields }) => fields['s']),
    ['one', undefined, 'three'],
  );
});

test('without accept_partial the first bad line throws its one record', () => {
  const harness = new Harness();
  const body = 'cpu,host=a val= 123\ncpu,host=b val=5 124';
  assert.throws(
    () => harness.write(body, { acceptPartial: false }),
    (error) => {
      assert.ok(error instanceof LineProtocolError);
      assert.equal(error.message, 'line protocol parsing error');
      assert.equal(error.status, 400);
      assert.equal(error.shape, 'json');
      assert.equal(
        JSON.stringify(error.data),
        '{"error_message":"No fields were provided","line_number":1,"original_line":"cpu,host=a val= 123"}',
      );
      return true;
    },
  );
  assert.equal(harness.catalog.tables.size, 0);
  assert.equal(harness.rows('cpu v=1').length, 1, 'the parser works on after an abort');
});

test('all lines without a timestamp share one truncated ingest time', () => {
  const expected = {
    auto: INGEST_NS,
    nanosecond: INGEST_NS,
    microsecond: 1_700_000_000_123_456_000n,
    millisecond: 1_700_000_000_123_000_000n,
    second: 1_700_000_000_000_000_000n,
  } as const;
  for (const [precision, timeNs] of Object.entries(expected)) {
    const harness = new Harness();
    const rows = harness.rows('m v=1\nm v=2\nm v=3', { precision: precision as keyof typeof expected });
    assert.deepEqual(
      rows.map((row) => row.timeNs),
      [timeNs, timeNs, timeNs],
      precision,
    );
  }
});

test('line numbers count logical lines without blanks and comments', () => {
  const parsed = withTable().write('# c\n\nbad\nm,t=a f=1i 1\n   \n# a\nm s="x\ny" 1\nworse 1\n');
  assert.deepEqual(parsed.lineErrors, [
    { errorMessage: 'Expected at least one space character, got end of input', lineNumber: 1, originalLine: 'bad' },
    { errorMessage: 'No fields were provided', lineNumber: 4, originalLine: 'worse 1' },
  ]);
  assert.equal(parsed.acceptedLines, 2);
  assert.equal(parsed.acceptedBytes, 'm,t=a f=1i 1'.length + 'm s="x\ny" 1'.length);
});

test('original_line is the failing line itself, cut to 20 bytes between characters', () => {
  const originals = (body: string) =>
    withTable()
      .write(body)
      .lineErrors.map(({ originalLine }) => originalLine);
  assert.deepEqual(originals('# c\n  bad'), ['  bad']);
  assert.deepEqual(originals('m v=1 123\r\nm v=2 x\r'), ['m v=1 123', 'm v=2 x']);
  assert.deepEqual(originals('0123456789012345678é'), ['0123456789012345678']);
  assert.deepEqual(originals('012345678901234567é'), ['012345678901234567é']);
  assert.deepEqual(originals('012345678901234567éx'), ['012345678901234567é']);
  assert.deepEqual(originals('# a=b "\nm v=1 1\nm v=2 2'), ['m v=1 1']);
});

test('schema errors show the line rendered again', () => {
  const original = (line: string) => withTable().write(line).lineErrors.at(-1)?.originalLine;
  assert.equal(original('m\\ x f=1\nm\\ x f=1i'), 'm\\ x f=1i');
  assert.equal(original('m f=1.50 7'), 'm f=1.5 7');
  assert.equal(original('m f=1e21,g=t'), 'm f=1000000000000000');
  assert.equal(original('m f=1e-7'), 'm f=0.0000001');
  assert.equal(original('m f=-1e400'), 'm f=-inf');
  assert.equal(original('m f="a\\"b c"  9'), 'm f=a\\"b c 9');
  assert.equal(original('m,t=a\\ b,t=c f=1u'), 'm,t=a\\ b,t=c f=1u');
  assert.equal(original('m f=TRUE'), 'm f=true');
});

test('a table replaced in the catalog gets fresh columns and series', () => {
  const harness = withTable();
  harness.rows('m,t=a f=1i 1\nm,t=b f=1i 1');
  harness.catalog.tables.delete('m');
  assert.deepEqual(harness.rows('m,t=b f="text" 2'), [{ table: 'm', tags: { t: 'b' }, fields: { f: 'text' }, timeNs: 2n }]);
  assert.deepEqual(harness.rows('m,t=b f="again" 3'), [{ table: 'm', tags: { t: 'b' }, fields: { f: 'again' }, timeNs: 3n }]);
  assert.equal(harness.catalog.seriesOf(harness.catalog.tables.get('m') ?? assert.fail()).count, 1);
});

test('clear forgets cached tables without harm', () => {
  const harness = withTable();
  harness.parser.clear();
  assert.deepEqual(harness.rows('m,t=a f=1i 1'), [{ table: 'm', tags: { t: 'a' }, fields: { f: 1n }, timeNs: 1n }]);
});

test('a write that spreads over too many columns is refused as a whole', () => {
  const harness = new Harness(new FakeCatalog({ maxColumns: 10000 }));
  const columns = Array.from({ length: 5000 }, (_, i) => `c${i}=1`).join(',');
  harness.write(`m ${columns} 1`);
  assert.throws(() => harness.write(`m ${columns} 1\n${'m c0=1 1\n'.repeat(20000)}`), { code: 'WRITE_TOO_SPARSE', status: 413 });
  assert.equal(harness.rows('m c0=1 1').length, 1);
});

test('min and max time and only columns with values are reported', () => {
  const parsed = new Harness().write('m a=1,b=2 5\nm a=1 -7\nm a=3 9223372036854775806\nm b=oops 1');
  const table = parsed.tables[0] ?? assert.fail();
  assert.equal(table.minTimeNs, -7n);
  assert.equal(table.maxTimeNs, TIME_NS_MAX);
  assert.deepEqual(
    table.columns.map(({ column, nullCount }) => [column.name, nullCount]),
    [
      ['a', 0],
      ['b', 2],
    ],
  );
});
