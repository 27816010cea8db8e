import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { CommandFailure } from '../client/failure.ts';
import { type Annotations, annotatedRow, newAnnotations, readAnnotation } from './csv-annotated.ts';
import { type FieldValue, lineOf } from './line-text.ts';
import type { ImportRow } from './row-pieces.ts';

export type FieldKind = 'float' | 'integer' | 'unsigned' | 'string' | 'boolean';

/** How the columns of plain CSV are understood. */
export interface CsvMapping {
  readonly table: string | undefined;
  readonly time: string | undefined;
  readonly tags: readonly string[];
  /** Fields with their kinds; undefined = all other columns, their kinds by the values of the first rows that have some. */
  readonly fields: ReadonlyMap<string, FieldKind | undefined> | undefined;
}

/** What a row that cannot be understood is reported as. */
export type OnBadRow = (line: number, reason: string, text: string) => void;

/**
 * Rows of CSV: annotated (`#datatype`, `#group`, `#default`, as Flux and the InfluxDB 2 command line write it) or plain, with its first
 * line naming the columns. Throws `CommandFailure` when the mapping does not fit the columns.
 */
export async function* csvRows(bytes: AsyncIterable<Uint8Array>, mapping: CsvMapping, onBadRow: OnBadRow): AsyncIterable<ImportRow> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, skip_empty_lines: false, relax_quotes: true });
  const source = Readable.from(bytes);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let annotations: Annotations | undefined;
  let plain: PlainCsv | undefined;
  try {
    for await (const { info, record } of parser as AsyncIterable<{ info: { lines: number }; record: string[] }>) {
      const [first = ''] = record;
      if (record.length === 1 && first === '') {
        if (annotations !== undefined) annotations.header = undefined;
        continue;
      }
      if (first.startsWith('#') && (plain === undefined || annotations !== undefined)) {
        annotations ??= newAnnotations();
        readAnnotation(annotations, record);
        continue;
      }
      const line = info.lines;
      try {
        const text = annotations === undefined ? undefined : annotatedRow(annotations, record, mapping.table);
        if (annotations === undefined && plain === undefined) {
          plain = new PlainCsv(record, mapping);
          continue;
        }
        const written = annotations === undefined ? plain?.line(record) : text;
        if (written !== undefined) yield { line: written, sourceLine: line, position: line };
      } catch (error) {
        if (!(error instanceof RowProblem)) throw error;
        onBadRow(line, error.message, record.join(','));
      }
    }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code?.startsWith('CSV_') === true) throw new CommandFailure(`the CSV cannot be read: ${message}`, { cause: error });
    throw error;
  }
}

/** A row that cannot be written. */
export class RowProblem extends Error {}

/** Plain CSV behind its header. */
class PlainCsv {
  readonly #mapping: CsvMapping;
  readonly #time: number;
  readonly #tags: readonly (readonly [name: string, column: number])[];
  readonly #fields: { readonly name: string; readonly column: number; kind: FieldKind | undefined }[];

  constructor(header: readonly string[], mapping: CsvMapping) {
    if (mapping.table === undefined) throw new CommandFailure('plain CSV names no table', { hint: 'give it with --table' });
    const place = (name: string): number => {
      const found = header.indexOf(name);
      if (found === -1) throw new CommandFailure(`the CSV has no column ${name}`, { hint: `it has ${header.join(', ')}` });
      return found;
    };
    this.#mapping = mapping;
    this.#time = mapping.time === undefined ? header.indexOf('time') : place(mapping.time);
    if (this.#time === -1)
      throw new CommandFailure('the CSV has no column time', {
        hint: `name the one with the times with --time-column; it has ${header.join(', ')}`,
      });
    this.#tags = mapping.tags.map((name) => [name, place(name)]);
    const taken = new Set([this.#time, ...this.#tags.map(([, column]) => column)]);
    const names = mapping.fields ?? new Map(header.filter((_, column) => !taken.has(column)).map((name) => [name, undefined]));
    this.#fields = [...names].map(([name, kind]) => ({ name, kind, column: place(name) }));
  }

  line(record: readonly string[]): string | undefined {
    const fields: (readonly [string, FieldValue])[] = [];
    for (const field of this.#fields) {
      const text = record[field.column] ?? '';
      if (text === '') continue;
      field.kind ??= kindOf(text);
      fields.push([field.name, fieldOf(field.kind, text, field.name)]);
    }
    const time = timeDigits(record[this.#time] ?? '');
    return lineOf({
      measurement: this.#mapping.table ?? '',
      tags: this.#tags.map(([name, column]) => [name, record[column] ?? '']),
      fields,
      time,
    });
  }
}

const INTEGER = /^[+-]?\d+$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Numbers are floats unless the mapping says otherwise: a column that begins with whole numbers may go on with others. */
function kindOf(text: string): FieldKind {
  if (/^(?:true|false)$/i.test(text)) return 'boolean';
  return FLOAT.test(text) ? 'float' : 'string';
}

/** A text as a field of a kind. Throws `RowProblem`. */
export function fieldOf(kind: FieldKind, text: string, name: string): FieldValue {
  switch (kind) {
    case 'string':
      return { type: 'string', text };
    case 'boolean':
      if (!/^(?:true|false|t|f)$/i.test(text)) throw new RowProblem(`${name} is no boolean`);
      return { type: 'boolean', value: /^t/i.test(text) };
    case 'float':
      if (!FLOAT.test(text)) throw new RowProblem(`${name} is no number`);
      return { type: 'float', text: text.replace(/^\+/, '') };
    case 'integer':
    case 'unsigned':
      if (!INTEGER.test(text) || (kind === 'unsigned' && text.startsWith('-'))) throw new RowProblem(`${name} is no whole number`);
      return { type: kind, text: text.replace(/^\+/, '') };
  }
}

/** Nanoseconds of RFC 3339 texts; digits stay as they are, in the unit of the import. Throws `RowProblem`. */
export function timeDigits(text: string): string {
  if (INTEGER.test(text)) return text;
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const seconds = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}${match[4] ?? 'Z'}`) / 1000;
  if (match === null || Number.isNaN(seconds)) throw new RowProblem(`${JSON.stringify(text)} is no time`);
  return String(BigInt(seconds) * 1_000_000_000n + BigInt((match[3] ?? '').padEnd(9, '0')));
}
