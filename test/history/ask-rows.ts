import { type Answer, readArrow, readCsv, readJson, readJsonLines, readParquet, readSeries } from './answers.ts';
import { slotText } from './bodies.ts';
import { checkRows, type OnFit, type Scope } from './check.ts';
import { ask, compared, type Format, type Language, type Question, type Told } from './question.ts';
import { writerName } from './values.ts';
import type { World } from './world.ts';

/** How rows are asked for. */
export interface Manner {
  readonly language: Language;
  readonly format: Format;
  /** Select list. */
  readonly columns: string;
  /** End of the statement. */
  readonly end: string;
  readonly onFit?: OnFit;
}

/** Reads all rows of a scope and checks each of them. False when there was no answer to compare. */
export async function readScope(world: World, url: string, scope: Scope, manner: Manner): Promise<boolean> {
  const { language, format, columns, end, onFit } = manner;
  const q = `SELECT ${columns} FROM "${scope.table.name}"${condition(scope)}${end}`;
  const question: Question = { table: scope.table, language, q, format };
  const told = await ask(world, url, question);
  if (told === undefined) return false;
  await compared(question, async () => {
    const verified = checkRows(scope, told.asked, await read(question, told), onFit);
    world.counts.rowsVerified += verified.rows;
    world.counts.cellsVerified += verified.cells;
  });
  return true;
}

async function read({ language, format }: Question, { body }: Told): Promise<Answer> {
  if (format === 'parquet') return readParquet(body);
  if (format === 'flight' || format === 'prepared') return readArrow(body);
  const text = body.toString();
  if (format === 'csv') return readCsv(text);
  if (language === 'v1') return readSeries(text);
  return format === 'json' ? readJson(text) : readJsonLines(text);
}

/** The scope as a WHERE clause, the same in SQL and InfluxQL. */
export function condition({ writers, slotFrom, slotTo }: Scope): string {
  const conditions: string[] = [];
  const names = writers?.map((writer) => `w = '${writerName(writer)}'`) ?? [];
  if (names.length > 0) conditions.push(names.length === 1 ? (names[0] as string) : `(${names.join(' OR ')})`);
  if (Number.isFinite(slotFrom)) conditions.push(`time >= '${slotText(slotFrom)}' AND time < '${slotText(slotTo)}'`);
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}
