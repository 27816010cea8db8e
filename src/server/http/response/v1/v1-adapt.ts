import type { InfluxqlResult } from '../../../../query/influxql/contract.ts';
import type { Statement } from '../../../../query/influxql/parse/index.ts';
import type { QueryResult, ResultBatch, ResultColumn, ResultVector } from '../../../../query/result.ts';
import { BOOLEAN, madeVector, textAt, textVector } from '../../../../query/results/index.ts';

/** The two statements whose v1 series are not the v3 columns. */
export function adaptForV1(statement: Statement, answer: InfluxqlResult): InfluxqlResult {
  if (statement.kind === 'show-databases') return reshape(answer, 'databases', databaseRow);
  if (statement.kind === 'show-retention-policies') return reshape(answer, 'retention_policies', policyRow);
  return answer;
}

const COLUMN_TYPES: Readonly<Record<string, ResultColumn['type']>> = { default: { kind: 'boolean' }, replicaN: { kind: 'int64' } };

/** Named texts of one row, or undefined to leave the row out. */
type Row = Readonly<Record<string, string | boolean>> | undefined;
type Reader = (name: string) => string;

function databaseRow(read: Reader): Row {
  return read('deleted') === 'true' ? undefined : { name: read('iox::database') };
}

/** As InfluxDB 1 lists them: names that can be used. What names no policy goes to autogen. */
function policyRow(read: Reader): Row {
  const name = read('name');
  const duration = read('duration');
  return { name, duration, shardGroupDuration: '0s', replicaN: '1', default: name === 'autogen' };
}

function reshape({ result }: InfluxqlResult, series: string, row: (read: Reader) => Row): InfluxqlResult {
  const names = series === 'databases' ? ['name'] : ['name', 'duration', 'shardGroupDuration', 'replicaN', 'default'];
  const columns: ResultColumn[] = [
    { name: 'iox::measurement', type: { kind: 'string', dictionary: false } },
    ...names.map((name) => ({
      name,
      type: COLUMN_TYPES[name] ?? ({ kind: 'string', dictionary: false } as const),
    })),
  ];
  const adapted: QueryResult = {
    columns,
    cancel: () => result.cancel(),
    async *batches() {
      for await (const batch of result.batches()) yield rowsOf(result.columns, batch, series, names, row);
    },
  };
  return { result: adapted, groupKey: { measurementColumn: 0, tagColumns: [] } };
}

function rowsOf(
  columns: readonly ResultColumn[],
  batch: ResultBatch,
  series: string,
  names: readonly string[],
  row: (read: Reader) => Row,
): ResultBatch {
  const rows: NonNullable<Row>[] = [];
  for (let i = 0; i < batch.rowCount; i++) {
    const found = row((name) => cellText(batch.columns[columns.findIndex((column) => column.name === name)], i));
    if (found !== undefined) rows.push(found);
  }
  const vectors = names.map((name): ResultVector => {
    if (name === 'default')
      return madeVector(
        BOOLEAN,
        rows.map((each) => each[name] === true),
      );
    if (name === 'replicaN') return { kind: 'int64', data: BigInt64Array.from(rows, () => 1n), valid: undefined };
    return textVector(rows.map((each) => String(each[name] ?? '')));
  });
  return { rowCount: rows.length, columns: [textVector(rows.map(() => series)), ...vectors] };
}

function cellText(vector: ResultVector | undefined, row: number): string {
  if (vector?.kind === 'boolean') return vector.data[row] === 1 ? 'true' : 'false';
  return textAt(vector, row) ?? '';
}
