import { CommandFailure } from '../client/failure.ts';
import { type FieldKind, fieldOf, RowProblem, timeDigits } from './csv-rows.ts';
import { type FieldValue, lineOf } from './line-text.ts';

/** What the `#` lines before a table of annotated CSV say. */
export interface Annotations {
  datatypes: readonly string[];
  defaults: readonly string[];
  /** Names of the columns; undefined until the line behind the annotations was read. */
  header: readonly string[] | undefined;
  isFresh: boolean;
}

/** No annotations yet. */
export function newAnnotations(): Annotations {
  return { datatypes: [], defaults: [], header: undefined, isFresh: false };
}

/** Takes a line that begins with `#`. A new block of them begins a new table. */
export function readAnnotation(annotations: Annotations, record: readonly string[]): void {
  if (annotations.header !== undefined) {
    annotations.header = undefined;
    annotations.defaults = [];
  }
  const [name = '', ...rest] = record;
  const [kind, tied] = name.split(/\s+/, 2);
  // Flux leaves the first cell to the name of the annotation; the command line of InfluxDB 2 writes `#datatype measurement,…`.
  const cells = tied === undefined ? ['', ...rest] : [tied, ...rest];
  if (kind === '#datatype') annotations.datatypes = cells;
  else if (kind === '#default') annotations.defaults = cells;
}

const KINDS: Readonly<Record<string, FieldKind>> = {
  double: 'float',
  long: 'integer',
  unsignedLong: 'unsigned',
  boolean: 'boolean',
  string: 'string',
};

const FLUX_COLUMNS = new Set(['', 'result', 'table', '_start', '_stop', '_time', '_value', '_field', '_measurement']);

/** The line of a row; undefined for the row that names the columns and for rows without a value. Throws `RowProblem`. */
export function annotatedRow(annotations: Annotations, record: readonly string[], table: string | undefined): string | undefined {
  if (annotations.header === undefined) {
    annotations.header = record;
    if (annotations.datatypes.length === 0)
      throw new CommandFailure('the annotated CSV has no #datatype line', { hint: 'export it with its annotations' });
    return undefined;
  }
  const { datatypes, defaults, header } = annotations;
  const cellAt = (column: number): string => record[column] || defaults[column] || '';
  return header.includes('_field') && header.includes('_value')
    ? fluxRow(header, datatypes, cellAt, table)
    : extendedRow(header, datatypes, cellAt, table);
}

/** One value a row, as Flux writes it: `_measurement`, `_field`, `_value`, `_time`; all other columns are tags. */
function fluxRow(
  header: readonly string[],
  datatypes: readonly string[],
  cellAt: (column: number) => string,
  table: string | undefined,
): string | undefined {
  const at = (name: string): string => (header.includes(name) ? cellAt(header.indexOf(name)) : '');
  const measurement = at('_measurement') || table;
  if (measurement === undefined) throw new RowProblem('the row has no _measurement');
  const text = at('_value');
  const type = datatypes[header.indexOf('_value')] ?? '';
  if (text === '' && type !== 'string') return undefined;
  const tags = header.flatMap((name, column) => (FLUX_COLUMNS.has(name) ? [] : [[name, cellAt(column)] as const]));
  return lineOf({ measurement, tags, fields: [[at('_field'), typed(type, text, '_value')]], time: timeDigits(at('_time')) });
}

/** One row of columns with roles, as the command line of InfluxDB 2 takes it: `measurement`, `tag`, `dateTime`, kinds of fields, `ignored`. */
function extendedRow(
  header: readonly string[],
  datatypes: readonly string[],
  cellAt: (column: number) => string,
  table: string | undefined,
): string | undefined {
  let measurement = table;
  let time: string | undefined;
  const tags: [string, string][] = [];
  const fields: [string, FieldValue][] = [];
  for (const [column, name] of header.entries()) {
    const [type = ''] = (datatypes[column] ?? '').split(':');
    const text = cellAt(column);
    if (type === 'measurement') measurement = text || measurement;
    else if (type === 'tag') tags.push([name, text]);
    else if (type === 'dateTime' || type === 'time') time = text === '' ? undefined : timeDigits(text);
    else if (type !== '' && type !== 'ignored' && type !== 'ignore' && text !== '')
      fields.push([name, typed(type === 'field' ? 'double' : type, text, name)]);
  }
  if (measurement === undefined) throw new RowProblem('the row has no measurement');
  return lineOf({ measurement, tags, fields, time });
}

function typed(type: string, text: string, name: string): FieldValue {
  const [base = ''] = type.split(':');
  const kind = KINDS[base];
  if (kind === undefined) throw new RowProblem(`${name} has the type ${type}, which no field has`);
  return fieldOf(kind, text, name);
}
