import { BOOLEAN, INT32, madeVector, TEXT, TEXTS } from '../../../query/results/index.ts';
import type { ArrowField, ArrowSchema } from '../../../shared/arrow/schema-message.ts';
import { BodyWriter } from '../../arrow/body.ts';
import { CodedTexts } from '../../arrow/coded-texts.ts';
import { writeColumn } from '../../arrow/column-writer.ts';
import { type RecordBatchMessage, recordBatchHeader } from '../../arrow/record-batch.ts';

/** What is said of one fact; `flags` = numbers with the meaning of an enumeration. */
type SqlInfoValue =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'long'; readonly value: bigint }
  | { readonly kind: 'flags'; readonly value: number }
  | { readonly kind: 'texts'; readonly value: readonly string[] }
  | { readonly kind: 'conversions' };

/** The order of the union's types. */
const KINDS = ['text', 'boolean', 'long', 'flags', 'texts', 'conversions'] as const;

const text = (value: string): SqlInfoValue => ({ kind: 'text', value });
const yes: SqlInfoValue = { kind: 'boolean', value: true };
const no: SqlInfoValue = { kind: 'boolean', value: false };
const flags = (value: number): SqlInfoValue => ({ kind: 'flags', value });
const texts = (...value: readonly string[]): SqlInfoValue => ({ kind: 'texts', value });
const NO_LIMIT = 2_147_483_647n;

const KEYWORDS = [
  'DISTINCT',
  'EXCEPT',
  'EXPLAIN',
  'FULL',
  'GROUPING',
  'INTERVAL',
  'LATERAL',
  'OFFSET',
  'OVER',
  'PARTITION',
  'QUALIFY',
  'RECURSIVE',
  'ROLLUP',
  'WITH',
];

/** Facts by their number: https://arrow.apache.org/docs/format/FlightSql.html */
const FACTS: ReadonlyMap<number, SqlInfoValue> = new Map<number, SqlInfoValue>([
  [0, text('InfluxDB IOx')],
  [1, text('2')],
  [2, text('1.3')],
  [3, yes],
  [4, yes],
  [5, no],
  [8, flags(0)],
  [9, no],
  [100, flags(0)],
  [101, flags(0)],
  [500, no],
  [501, no],
  [502, no],
  [503, flags(3)],
  [504, text('"')],
  [505, flags(1)],
  [506, yes],
  [507, flags(0)],
  [508, texts(...KEYWORDS)],
  [509, texts('abs', 'ceil', 'floor', 'log', 'power', 'round', 'sqrt', 'trunc')],
  [510, texts('concat', 'length', 'lower', 'replace', 'split_part', 'strpos', 'substr', 'trim', 'upper')],
  [511, texts('arrow_typeof', 'coalesce', 'nullif', 'version')],
  [512, texts('date_bin', 'date_part', 'date_trunc', 'now', 'to_timestamp')],
  [513, text('\\')],
  [514, text('')],
  [515, yes],
  [516, yes],
  [517, { kind: 'conversions' }],
  [518, no],
  [519, no],
  [520, yes],
  [521, yes],
  [522, flags(3)],
  [523, yes],
  [524, yes],
  [525, flags(1)],
  [526, flags(7)],
  [527, no],
  [528, flags(2)],
  [529, text('schema')],
  [530, text('procedure')],
  [532, no],
  [533, flags(0)],
  [534, flags(0)],
  [535, flags(0)],
  [536, no],
  [537, no],
  [538, flags(15)],
  [539, yes],
  [540, flags(3)],
  ...Array.from({ length: 21 }, (_, i): [number, SqlInfoValue] => [541 + i, i === 15 ? yes : { kind: 'long', value: NO_LIMIT }]),
  [562, flags(0)],
  [563, no],
  [564, flags(0)],
  [565, no],
  [566, yes],
  ...[567, 568, 569, 570, 571].map((id): [number, SqlInfoValue] => [id, flags(0)]),
  ...[572, 573, 574, 575, 576].map((id): [number, SqlInfoValue] => [id, no]),
]);

const INTEGER = { kind: 'int', bits: 32, signed: true } as const;

const child = (name: string, type: ArrowField['type'], children: readonly ArrowField[] = [], nullable = true): ArrowField => {
  return { name, type, nullable, children };
};

/** Columns of GetSqlInfo: the number of a fact, and its value in one of six types. */
export const SQL_INFO_SCHEMA: ArrowSchema = {
  fields: [
    child('info_name', { kind: 'int', bits: 32, signed: false }, [], false),
    child(
      'value',
      { kind: 'union', typeCount: KINDS.length },
      [
        child('string_value', { kind: 'utf8' }),
        child('bool_value', { kind: 'boolean' }),
        child('bigint_value', { kind: 'int', bits: 64, signed: true }),
        child('int32_bitmask', INTEGER),
        child('string_list', { kind: 'list' }, [child('item', { kind: 'utf8' })]),
        child('int32_to_int32_list_map', { kind: 'map' }, [
          child(
            'entries',
            { kind: 'struct' },
            [child('keys', INTEGER, [], false), child('values', { kind: 'list' }, [child('item', INTEGER)])],
            false,
          ),
        ]),
      ],
      false,
    ),
  ],
};

/** The facts that are asked for as one record batch; no numbers = all of them. Numbers without a fact have no row. */
export function sqlInfoBatch(ids: readonly number[]): Pick<RecordBatchMessage, 'header' | 'body'> {
  const facts = [...FACTS].filter(([id]) => ids.length === 0 || ids.includes(id));
  const body = new BodyWriter();
  body.node(facts.length, 0);
  body.buffer(NO_BYTES);
  body.buffer(bytesOf(Uint32Array.from(facts, ([id]) => id)));
  writeUnion(
    body,
    facts.map(([, value]) => value),
  );
  const { body: bytes, nodes, regions } = body.finish();
  return { header: recordBatchHeader(facts.length, nodes, regions, bytes.length), body: bytes };
}

function writeUnion(body: BodyWriter, values: readonly SqlInfoValue[]): void {
  const counts = KINDS.map(() => 0);
  const types = new Int8Array(values.length);
  const offsets = new Int32Array(values.length);
  values.forEach(({ kind }, row) => {
    const type = KINDS.indexOf(kind);
    types[row] = type;
    offsets[row] = counts[type] as number;
    counts[type] = (counts[type] as number) + 1;
  });
  body.node(values.length, 0);
  body.buffer(bytesOf(types));
  body.buffer(bytesOf(offsets));
  const codes = new CodedTexts();
  const of = (kind: SqlInfoValue['kind']): unknown[] =>
    values.flatMap((each) => (each.kind === kind && 'value' in each ? [each.value] : []));
  const write = (type: typeof TEXT, kind: SqlInfoValue['kind']): void => {
    const found = of(kind);
    writeColumn(body, type, [{ vector: madeVector(type, found), from: 0, to: found.length }], codes);
  };
  write(TEXT, 'text');
  write(BOOLEAN, 'boolean');
  const longs = BigInt64Array.from(of('long') as bigint[]);
  writeColumn(body, { kind: 'int64' }, [{ vector: { kind: 'int64', data: longs, valid: undefined }, from: 0, to: longs.length }], codes);
  write(INT32, 'flags');
  write(TEXTS, 'texts');
  const maps = counts[KINDS.indexOf('conversions')] as number;
  const noItems = { kind: 'list', offsets: Uint32Array.of(0), item: madeVector(INT32, []), valid: undefined } as const;
  // Which types convert into which is not told: a map without entries.
  const vector = { kind: 'map', offsets: new Uint32Array(maps + 1), key: madeVector(INT32, []), value: noItems, valid: undefined } as const;
  writeColumn(body, { kind: 'map', key: INT32, value: { kind: 'list', item: INT32 } }, [{ vector, from: 0, to: maps }], codes);
}

const NO_BYTES = new Uint8Array(0);

function bytesOf(array: Uint32Array | Int32Array | Int8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
