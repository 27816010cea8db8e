import { decodeMultiStream } from '@msgpack/msgpack';
import { INTERNAL_DATABASE } from '../../shared/internal-database.ts';
import type { ApiClient } from '../client/api-client.ts';
import { CommandFailure } from '../client/failure.ts';
import { type FieldValue, lineOf } from './line-text.ts';
import { severalIntoOne } from './source-tables.ts';

/** A measurement of one retention policy, and the database that its rows go to. */
export interface SourceTable {
  readonly database: string;
  readonly policy: string;
  readonly measurement: string;
  readonly target: string;
}

/** Rows of one answer. */
const CHUNK_ROWS = 10_000;

interface Series {
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values?: readonly (readonly unknown[])[];
}

/** The measurements of a running InfluxDB 1, by its `/query`. Rows of policies that are not the default go to `<database>/<policy>`. */
export async function influxdb1Tables(
  client: ApiClient,
  databases: readonly string[] | undefined,
  target: string | undefined,
): Promise<SourceTable[]> {
  const all = await names(client, 'SHOW DATABASES');
  for (const name of databases ?? [])
    if (!all.includes(name)) throw new CommandFailure(`the source has no database ${name}`, { hint: `it has ${all.join(', ')}` });
  const tables: SourceTable[] = [];
  const chosen = databases ?? all.filter((name) => name !== INTERNAL_DATABASE);
  if (target !== undefined && chosen.length > 1) throw severalIntoOne(chosen.length);
  for (const database of chosen) {
    const [policies] = await series(client, `SHOW RETENTION POLICIES ON ${quoted(database)}`);
    const defaultAt = policies?.columns.indexOf('default') ?? -1;
    const measurements = await names(client, `SHOW MEASUREMENTS ON ${quoted(database)}`);
    for (const policy of policies?.values ?? []) {
      const name = String(policy[0]);
      const base = target ?? database;
      const goesTo = policy[defaultAt] === true ? base : `${base}/${name}`;
      for (const measurement of measurements) tables.push({ database, policy: name, measurement, target: goesTo });
    }
  }
  return tables;
}

/** Rows of a table as line protocol. */
export async function* influxdb1Lines(client: ApiClient, table: SourceTable): AsyncIterable<string> {
  const from = `${quoted(table.database)}.${quoted(table.policy)}.${quoted(table.measurement)}`;
  const types = await fieldTypes(client, table);
  const query = { q: `SELECT * FROM ${from} GROUP BY *`, epoch: 'ns', chunked: 'true', chunk_size: String(CHUNK_ROWS) };
  const answer = await client.send({ method: 'GET', path: '/query', query, headers: { accept: 'application/x-msgpack' } });
  for await (const part of decodeMultiStream<undefined>(answer.body, { useBigInt64: true })) {
    for (const found of resultSeries(part)) {
      const [, ...columns] = found.columns;
      const tags = Object.entries(found.tags ?? {});
      for (const values of found.values ?? []) {
        const fields = columns.flatMap((name, index) => {
          const value = fieldOf(values[index + 1], types.get(name));
          return value === undefined ? [] : [[name, value] as const];
        });
        const line = lineOf({ measurement: table.measurement, tags, fields, time: String(values[0]) });
        if (line !== undefined) yield line;
      }
    }
  }
}

/** Types of the fields; one that is of several types in different shards counts as float when it is a number. */
async function fieldTypes(client: ApiClient, { database, measurement }: SourceTable): Promise<ReadonlyMap<string, string>> {
  const types = new Map<string, string>();
  for (const { values } of await series(client, `SHOW FIELD KEYS ON ${quoted(database)} FROM ${quoted(measurement)}`)) {
    for (const [name, type] of values ?? []) types.set(String(name), types.has(String(name)) ? 'float' : String(type));
  }
  return types;
}

function fieldOf(value: unknown, type: string | undefined): FieldValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'boolean') return { type: 'boolean', value };
  if (typeof value === 'string') return { type: 'string', text: value };
  if (type === 'integer') return { type: 'integer', text: String(value) };
  if (type === 'unsigned') return { type: 'unsigned', text: String(value) };
  return { type: 'float', text: String(value) };
}

async function names(client: ApiClient, q: string): Promise<string[]> {
  return (await series(client, q)).flatMap(({ values }) => (values ?? []).map(([name]) => String(name)));
}

async function series(client: ApiClient, q: string): Promise<readonly Series[]> {
  const { body } = await client.fetch({ method: 'GET', path: '/query', query: { q } });
  return resultSeries(JSON.parse(body.toString('utf8')));
}

function resultSeries(answer: unknown): readonly Series[] {
  const { error, results = [] } = answer as { error?: string; results?: readonly { error?: string; series?: readonly Series[] }[] };
  const problem = error ?? results.find((result) => result.error !== undefined)?.error;
  if (problem !== undefined) throw new CommandFailure(`the source answers: ${problem}`);
  return results.flatMap((result) => result.series ?? []);
}

function quoted(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}
