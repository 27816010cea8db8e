import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DataType, type Field, type Table, tableFromIPC } from 'apache-arrow';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { AGGREGATES, EXPRESSIONS, WINDOWS } from '../support/sql-expressions.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };

async function arrow(q: string, db = 'db'): Promise<Table> {
  const response = await fetch(`${server.url}/api/v3/query_sql?${new URLSearchParams({ db, q })}`, {
    headers: { accept: 'application/vnd.apache.arrow.stream' },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  assert.equal(response.status, 200, `${q}: ${Buffer.from(bytes)}`);
  assert.equal(response.headers.get('content-type'), 'application/vnd.apache.arrow.stream');
  return tableFromIPC(bytes);
}

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  await server.writeOk(
    'db',
    'm,host=a,room=x f=1.5,i=1i,u=1u,s="text",b=true 1640995200123456789\nm,host=b f=-0.5,i=-2i 1640995201000000000\nn,host=a g=1 1640995200123456789',
    '&precision=nanosecond',
  );
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

/** Arrow's type as DataFusion's `arrow_typeof` prints it. */
function typeText(field: Field): string {
  const { type } = field;
  const units = ['s', 'ms', 'µs', 'ns'];
  if (DataType.isInt(type)) return `${type.isSigned ? 'Int' : 'UInt'}${type.bitWidth}`;
  if (DataType.isFloat(type)) return type.precision === 2 ? 'Float64' : 'Float32';
  if (DataType.isBool(type)) return 'Boolean';
  if (DataType.isDate(type)) return 'Date32';
  if (DataType.isTime(type)) return `Time64(${units[type.unit]})`;
  if (DataType.isDuration(type)) return `Duration(${units[type.unit]})`;
  if (DataType.isInterval(type)) return 'Interval(MonthDayNano)';
  if (DataType.isDecimal(type)) return `Decimal128(${type.precision}, ${type.scale})`;
  if (DataType.isTimestamp(type)) {
    return type.timezone ? `Timestamp(${units[type.unit]}, "${type.timezone}")` : `Timestamp(${units[type.unit]})`;
  }
  if (DataType.isList(type)) return `List(nullable ${typeText(type.children[0] as Field)})`;
  if (DataType.isStruct(type))
    return `Struct(${type.children.map((child: Field) => `"${child.name}": nullable ${typeText(child)}`).join(', ')})`;
  if (DataType.isMap(type)) {
    const [key, value] = (type.children[0] as Field).type.children as [Field, Field];
    return `Map("entries": non-null Struct("key": non-null ${typeText(key)}, "value": ${typeText(value)}), unsorted)`;
  }
  return String(type);
}

/** A value of apache-arrow as JSON says it. */
function shown(value: unknown, type: DataType): unknown {
  // JSON has no NaN
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  if (DataType.isTimestamp(type) || DataType.isDate(type)) return Math.floor(Number(value));
  if (DataType.isDecimal(type)) return decimal(value as Uint32Array) / 10 ** type.scale;
  if (DataType.isList(type)) return Array.from(value as Iterable<unknown>, (item) => shown(item, (type.children[0] as Field).type));
  if (DataType.isBinary(type)) return Buffer.from(value as Uint8Array).toString('hex');
  if (DataType.isStruct(type)) {
    const row = value as Record<string, unknown>;
    const members = type.children.map(({ name, type: member }: Field) => [name, shown(row[name], member)] as const);
    return Object.fromEntries(members.filter(([, member]) => member !== null));
  }
  if (DataType.isMap(type)) {
    const [, item] = (type.children[0] as Field).type.children as [Field, Field];
    const entries = [...(value as Iterable<[unknown, unknown]>)].map(([key, each]) => [String(key), shown(each, item.type)] as const);
    return Object.fromEntries(entries.filter(([, each]) => each !== null));
  }
  return typeof value === 'bigint' ? Number(value) : value;
}

function decimal(words: Uint32Array): number {
  let value = 0n;
  for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(words[i] as number);
  return Number(BigInt.asIntN(128, value));
}

/** JSON's texts of times as numbers, so that they can be held against Arrow's. */
function asMoment(value: unknown, type: DataType): unknown {
  if (typeof value === 'string' && (DataType.isTimestamp(type) || DataType.isDate(type))) {
    const zoned = /Z$|[+-]\d\d:\d\d$/.test(value) || value.length === 10;
    return new Date(zoned ? value : `${value}Z`).getTime();
  }
  if (DataType.isStruct(type) && value !== null) {
    const row = value as Record<string, unknown>;
    const members = type.children.map(({ name, type: member }: Field): [string, unknown] => [name, asMoment(row[name], member)]);
    return Object.fromEntries(members.filter(([, member]: [string, unknown]) => member !== undefined));
  }
  if (Array.isArray(value) && DataType.isList(type)) return value.map((item) => asMoment(item, (type.children[0] as Field).type));
  return value;
}

describe('Arrow streams over HTTP', () => {
  for (const [what, expressions, from] of [
    ['expressions', EXPRESSIONS, ' FROM m ORDER BY time'],
    ['aggregates', AGGREGATES, ' FROM m'],
    ['window functions', WINDOWS, ' FROM m ORDER BY time'],
  ] as const) {
    it(`${what} have the type that arrow_typeof says, and JSON's values`, async () => {
      const wrong: string[] = [];
      for (const expression of expressions) {
        const group = expression.startsWith('grouping') ? ' GROUP BY host' : '';
        const typed = await server.sql('db', `SELECT arrow_typeof(${expression}) AS t FROM m${group} LIMIT 1`);
        const text = await typed.text();
        if (typed.status !== 200) {
          wrong.push(`${expression}: ${text}`);
          continue;
        }
        const [{ t }] = JSON.parse(text) as [{ t: string }];
        const table = await arrow(`SELECT ${expression} AS x${from}${group}`);
        const [field] = table.schema.fields as [Field];
        const wanted = t.replaceAll('Dictionary(Int32, Utf8)', 'Utf8');
        if (typeText(field) !== wanted) wrong.push(`${expression}: ${typeText(field)}, not ${wanted}`);
        const json = await server.rows('db', `SELECT ${expression} AS x${from}${group}`);
        if (expression === 'now()') continue;
        if (DataType.isTime(field.type) || DataType.isDuration(field.type) || DataType.isInterval(field.type)) continue;
        const values = Array.from(table.getChild('x') ?? [], (value) => shown(value, field.type));
        const expected = json.map((row) => asMoment(row['x'] ?? null, field.type));
        try {
          assert.deepEqual(values, expected);
        } catch {
          wrong.push(`${expression}: ${JSON.stringify(values)}, not ${JSON.stringify(expected)}`);
        }
      }
      assert.deepEqual(wrong, []);
    });
  }

  it('columns of all tables have the type and the nulls that information_schema says', async () => {
    const tables = await server.rows('db', 'SELECT table_schema AS s, table_name AS t FROM information_schema.tables');
    assert.ok(tables.length > 10);
    const wrong: string[] = [];
    for (const { s, t } of tables) {
      const table = `${s}."${t}"`;
      const columns = await server.rows('db', `DESCRIBE ${table}`);
      const { schema } = await arrow(`SELECT * FROM ${table} LIMIT 0`);
      // Whether items may be null is written in some of the texts only.
      const got = schema.fields.map((field) => `${field.name} ${withoutNullable(typeText(field))} ${field.nullable ? 'YES' : 'NO'}`);
      const expected = columns.map(
        (row) =>
          `${row['column_name']} ${withoutNullable(String(row['data_type'])).replaceAll(/Dictionary\(Int32, Utf8\)|Utf8View/g, 'Utf8')} ${row['is_nullable']}`,
      );
      expected.forEach((text, i) => {
        if (got[i] !== text) wrong.push(`${table}: ${got[i]}, not ${text}`);
      });
    }
    assert.deepEqual(wrong, []);
  });

  it('InfluxQL answers in Arrow too, with the kind of each column', async () => {
    const params = new URLSearchParams({ db: 'db', q: 'SELECT mean(f) AS m FROM m GROUP BY room' });
    const response = await fetch(`${server.url}/api/v3/query_influxql?${params}`, {
      headers: { accept: 'application/vnd.apache.arrow.stream' },
    });
    const { schema } = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
    assert.deepEqual(
      schema.fields.map((field) => [field.name, field.metadata.get('iox::column::type')]),
      [
        ['iox::measurement', 'iox::column_type::tag'],
        ['time', 'iox::column_type::timestamp'],
        ['room', 'iox::column_type::tag'],
        ['m', 'iox::column_type::field::float'],
      ],
    );
  });

  it('a hundred thousand rows are what JSON says', async () => {
    const q =
      "SELECT value AS n, 'text ' || value AS t, CASE WHEN value % 3 = 0 THEN NULL ELSE value / 2.0 END AS f FROM generate_series(1, 100000)";
    const table = await arrow(q);
    const json = await server.rows('db', q);
    assert.equal(table.numRows, 100_000);
    const [n, t, f] = ['n', 't', 'f'].map((name) => Array.from(table.getChild(name) ?? []));
    json.forEach((row, i) => {
      if (Number(n?.[i]) !== row['n'] || t?.[i] !== row['t'] || f?.[i] !== (row['f'] ?? null))
        assert.fail(`row ${i}: ${JSON.stringify(row)}`);
    });
  });
});

function withoutNullable(text: string): string {
  return text.replaceAll('nullable ', '');
}
