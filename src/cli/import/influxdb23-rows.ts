import { INTERNAL_DATABASE } from '../../shared/internal-database.ts';
import type { ApiClient } from '../client/api-client.ts';
import { csvRows, type OnBadRow } from './csv-rows.ts';
import { type FieldValue, lineOf } from './line-text.ts';
import type { ImportRow } from './row-pieces.ts';
import { severalIntoOne } from './source-tables.ts';

/** A table of a running InfluxDB 3, with the kinds of its columns. */
export interface Influxdb3Table {
  readonly database: string;
  readonly table: string;
  readonly target: string;
  readonly columns: ReadonlyMap<string, string>;
}

/** The tables of a running InfluxDB 3. */
export async function influxdb3Tables(
  client: ApiClient,
  databases: readonly string[] | undefined,
  target: string | undefined,
): Promise<Influxdb3Table[]> {
  const listed = await client.fetch({ method: 'GET', path: '/api/v3/configure/database', query: { format: 'json' } });
  const all = (JSON.parse(listed.body.toString('utf8')) as Record<string, string>[]).map((row) => row['iox::database'] ?? '');
  const chosen = databases ?? all.filter((name) => name !== INTERNAL_DATABASE && name !== '');
  if (target !== undefined && chosen.length > 1) throw severalIntoOne(chosen.length);
  const tables: Influxdb3Table[] = [];
  for (const database of chosen) {
    const q = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox' ORDER BY table_name";
    const { body } = await client.fetch({ method: 'POST', path: '/api/v3/query_sql', json: { db: database, q, format: 'json' } });
    const byTable = new Map<string, Map<string, string>>();
    for (const row of JSON.parse(body.toString('utf8')) as { table_name: string; column_name: string; data_type: string }[]) {
      const columns = byTable.get(row.table_name) ?? new Map<string, string>();
      byTable.set(row.table_name, columns.set(row.column_name, row.data_type));
    }
    for (const [table, columns] of byTable) tables.push({ database, table, target: target ?? database, columns });
  }
  return tables;
}

/** Rows of a table as line protocol. */
export async function* influxdb3Lines(client: ApiClient, { columns, database, table }: Influxdb3Table): AsyncIterable<string> {
  const q = `SELECT * FROM "${table.replaceAll('"', '""')}"`;
  const answer = await client.send({ method: 'POST', path: '/api/v3/query_sql', json: { db: database, q, format: 'json_lines' } });
  for await (const text of textLines(answer.body)) {
    // Integers of 64 bits do not fit a number: they are read from the text.
    const row = JSON.parse(text.replace(LARGE_INTEGER, (part) => (part.startsWith('"') ? part : `"${part}"`))) as Record<string, unknown>;
    const tags: [string, string][] = [];
    const fields: [string, FieldValue][] = [];
    let time: string | undefined;
    for (const [name, value] of Object.entries(row)) {
      const type = columns.get(name) ?? '';
      if (value === null) continue;
      if (name === 'time') time = nanoseconds(String(value));
      else if (type.startsWith('Dictionary')) tags.push([name, String(value)]);
      else fields.push([name, fieldOf(type, value)]);
    }
    const line = lineOf({ measurement: table, tags, fields, time });
    if (line !== undefined) yield line;
  }
}

/** A text, or a number of 16 digits and more. */
const LARGE_INTEGER = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

function fieldOf(type: string, value: unknown): FieldValue {
  if (type === 'Boolean') return { type: 'boolean', value: value === true };
  if (type === 'Int64') return { type: 'integer', text: String(value) };
  if (type === 'UInt64') return { type: 'unsigned', text: String(value) };
  if (type === 'Float64') return { type: 'float', text: String(value) };
  return { type: 'string', text: String(value) };
}

function nanoseconds(text: string): string {
  const [seconds = '', fraction = ''] = text.replace(/Z$/, '').split('.');
  return String(BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9) || '0'));
}

async function* textLines(body: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield line;
  }
  if (rest !== '') yield rest;
}

/** Rows of a bucket of a running InfluxDB 2, asked for in Flux. */
export async function* influxdb2Rows(
  client: ApiClient,
  source: { readonly organization: string | undefined; readonly bucket: string; readonly target: string },
  onBadRow: OnBadRow,
): AsyncIterable<ImportRow> {
  const query = `from(bucket: ${JSON.stringify(source.bucket)}) |> range(start: 0)`;
  const answer = await client.send({
    method: 'POST',
    path: '/api/v2/query',
    query: { org: source.organization },
    json: { query, type: 'flux', dialect: { annotations: ['datatype', 'group', 'default'], header: true, delimiter: ',' } },
    headers: { accept: 'application/csv' },
  });
  const mapping = { table: undefined, time: undefined, tags: [], fields: undefined };
  for await (const row of csvRows(answer.body, mapping, onBadRow)) yield { ...row, position: undefined, database: source.target };
}
