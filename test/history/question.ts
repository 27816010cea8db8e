import { askFlight } from './ask-flight.ts';
import { type Asked, Fault } from './check.ts';
import { answered } from './patience.ts';
import { type Table, writes } from './tables.ts';
import { fieldOfName } from './values.ts';
import type { World } from './world.ts';

export type Language = 'sql' | 'influxql' | 'v1';
/** The last two are ways over Arrow Flight. */
export type Format = 'csv' | 'json' | 'jsonl' | 'parquet' | FlightWay;
export type FlightWay = 'flight' | 'prepared';

/** One question about one table. */
export interface Question {
  readonly table: Table;
  readonly language: Language;
  readonly q: string;
  readonly format: Format;
}

/** An answer with the moments around it. */
export interface Told {
  readonly asked: Asked;
  readonly body: Buffer;
}

/**
 * Asks the server. Undefined when the answer cannot be compared: the table was not there yet, or was deleted or brought back
 * meanwhile, or there is too little memory in a life that is short of it. Throws a `Fault` for any other refusal.
 */
export async function ask(world: World, url: string, question: Question): Promise<Told | undefined> {
  const { table, q } = question;
  const { version } = table;
  const existed = table.exists;
  const askedMs = Date.now();
  const askedAt = world.model.tick();
  const { status, body } = await answered(q, send(url, question));
  const asked = { askedAt, answeredAt: world.model.tick(), askedMs, answeredMs: Date.now() };
  world.counts.questions++;
  if (table.version !== version || !table.isReadable) {
    world.counts.uncompared++;
    return undefined;
  }
  const text = status === 200 && question.language !== 'v1' ? '' : body.toString();
  const refused = status !== 200 || /^\{"results":\[\{"statement_id":0,"error"/.test(text);
  if (!refused) return { asked, body };
  if (world.shortOfMemory && (status === 503 || /Resources exhausted/.test(text))) {
    world.counts.uncompared++;
    return undefined;
  }
  const column = /No field named (\w+)/.exec(text)?.[1];
  const mayBeUnknown = column === undefined ? /not found|does not exist|unknown/i.test(text) && !existed : isNew(table, column, askedAt);
  if (mayBeUnknown) return undefined;
  throw new Fault('unexpected', `${q} was answered ${status}: ${text.slice(0, 300)}`);
}

/** No value of the column was acknowledged before the question. */
function isNew(table: Table, column: string, askedAt: number): boolean {
  const field = fieldOfName(column);
  if (field === undefined) return !table.exists;
  for (const { operations, rows } of table.allBlocks()) {
    for (const operation of operations) {
      if (operation.request.acknowledgedAt >= askedAt) continue;
      for (let row = 0; row < rows; row++) if (writes(operation, row, field)) return false;
    }
  }
  return true;
}

async function send(url: string, question: Question): Promise<{ readonly status: number; readonly body: Buffer }> {
  const { table, q, format } = question;
  if (format === 'flight' || format === 'prepared') return askFlight(url, table.database.name, q, format);
  const response = await request(url, question);
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

function request(url: string, { table, language, q, format }: Question): Promise<Response> {
  const db = table.database.name;
  if (language === 'v1') {
    const headers: Record<string, string> = format === 'csv' ? { accept: 'text/csv' } : {};
    return fetch(`${url}/query?db=${db}&q=${encodeURIComponent(q)}`, { headers });
  }
  return fetch(`${url}/api/v3/query_${language}`, { method: 'POST', body: JSON.stringify({ db, q, format }) });
}

/** Runs a comparison and adds the question to its fault. */
export async function compared(question: Question, compare: () => void | Promise<void>): Promise<void> {
  try {
    await compare();
  } catch (error) {
    if (error instanceof Fault) error.message = `${error.message}\n  asked: ${question.q} (${question.language}, ${question.format})`;
    throw error;
  }
}
