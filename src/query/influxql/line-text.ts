/** Rows of an answer as lines of line protocol. */
import { InfluxError } from '../../shared/errors.ts';
import type { ResultColumn, ResultVector } from '../result.ts';
import { isNullAt, textAt } from '../results/index.ts';
import type { InfluxqlResult } from './contract.ts';

/** Writes one row of a batch as a line with its line end; empty for a row without any field. */
export type LineOf = (columns: readonly ResultVector[], row: number) => string;

/** Characters that line protocol cannot hold in a name or a tag value, whatever is in front of them. */
const NOT_IN_NAMES = /[\0\t\n]|\\$/;

/**
 * Group tags become tags, all other columns fields of their types; `time` is the time. Values that are NULL or not a number are left out.
 * @param target the measurement; undefined = that of each row
 * Throws INFLUXQL_STATEMENT for values that line protocol cannot hold.
 */
export function lineMaker({ result: { columns }, groupKey }: InfluxqlResult, target: string | undefined): LineOf {
  const { measurementColumn, tagColumns } = groupKey;
  const timeColumn = columns.findIndex(({ type }) => type.kind === 'timestamp');
  const tags = tagColumns.map(({ key, columnIndex }) => ({ key: `,${escaped(key, /[\\,= ]/g)}=`, columnIndex }));
  const tagNames = new Set(tagColumns.map(({ key }) => key));
  const fields = columns.flatMap((column, index) =>
    index === measurementColumn || index === timeColumn || tagNames.has(column.name) ? [] : [fieldOf(column, index)],
  );
  const fixed = target === undefined ? undefined : measurementText(target);
  return (vectors, row) => {
    const values: string[] = [];
    for (const { key, index } of fields) {
      const text = valueText(vectors[index] as ResultVector, row);
      if (text !== undefined) values.push(`${key}=${text}`);
    }
    if (values.length === 0) return '';
    let line = fixed ?? measurementText(textAt(vectors[measurementColumn], row) ?? '');
    for (const { key, columnIndex } of tags) {
      const value = textAt(vectors[columnIndex], row);
      if (value !== null && value !== '') line += `${key}${escaped(value, /[\\,= ]/g)}`;
    }
    const time = vectors[timeColumn];
    return `${line} ${values.join(',')} ${time?.kind === 'timestamp' ? time.data[row] : 0n}\n`;
  };
}

function fieldOf({ name }: ResultColumn, index: number): { readonly key: string; readonly index: number } {
  return { key: escaped(name, /[\\,= ]/g), index };
}

function measurementText(name: string): string {
  if (name.startsWith('#')) throw notALine(name);
  return escaped(name, /[\\, ]/g);
}

function escaped(text: string, special: RegExp): string {
  if (NOT_IN_NAMES.test(text)) throw notALine(text);
  return text.replace(special, '\\$&');
}

/** Undefined = no value. */
function valueText(vector: ResultVector, row: number): string | undefined {
  if (isNullAt(vector, row)) return undefined;
  switch (vector.kind) {
    case 'float64': {
      const value = vector.data[row] as number;
      if (Number.isNaN(value)) return undefined;
      if (!Number.isFinite(value)) throw refused(`a field cannot be ${value > 0 ? '+Inf' : '-Inf'}`);
      return String(value);
    }
    case 'int64':
      return `${vector.data[row]}i`;
    case 'uint64':
      return `${vector.data[row]}u`;
    case 'boolean':
      return vector.data[row] === 1 ? 'true' : 'false';
    case 'string':
    case 'coded':
      return `"${(textAt(vector, row) ?? '').replace(/[\\"]/g, '\\$&')}"`;
    default:
      throw new Error(`internal error: InfluxQL has no fields of the type ${vector.kind}`);
  }
}

function notALine(text: string): InfluxError {
  return refused(`${JSON.stringify(text)} cannot be written as a name or a tag value of line protocol`);
}

function refused(message: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_STATEMENT', message, status: 400 });
}
