import type { Access } from '../../../auth/index.ts';
import type { PolicyDatabase } from '../../../catalog/index.ts';
import type { InfluxqlRequest, InfluxqlResult } from '../../../query/influxql/contract.ts';
import {
  InfluxqlParseError,
  intoDatabase,
  namesPolicy,
  needsDatabase,
  type ParsedStatement,
  parseInfluxql,
  v1StatementDatabase,
} from '../../../query/influxql/parse/index.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { nextTurn } from '../../../shared/timers.ts';
import type { GuardedInfluxql } from '../../guarded-services.ts';
import type { V1Query } from '../request/v1-request.ts';
import { badV1Request } from '../response/errors.ts';
import type { TextSink } from '../response/formats/index.ts';
import { AnswerSink } from '../response/v1/answer-sink.ts';
import { indentJson } from '../response/v1/indent.ts';
import { UnsupportedNumber } from '../response/v1/v1-cells.ts';
import { shownColumns, V1Statement } from '../response/v1/v1-statement.ts';
import { CsvSeriesWriter, JsonSeriesWriter } from '../response/v1/v1-text.ts';

/** Output is handed on in pieces of about this size. */
const PIECE_BYTES = 64 * 1024;

export interface V1AnswerDependencies {
  readonly influxql: GuardedInfluxql;
  readonly access: Access;
  readonly policyDatabase: PolicyDatabase;
  /** Turns whatever was thrown into the error that clients hear, and logs what is our fault. */
  readonly toError: (error: unknown) => InfluxError;
}

/**
 * The body of an answer of `/query`, in pieces. Failures of a statement are part of the body; in CSV and MessagePack, what
 * fails after rows of its statement were written is thrown. An infinite number in JSON replaces the body, or its chunk, as long as
 * nothing of it was handed on; else it stands as error behind the rows before it.
 */
export async function* v1Answer(deps: V1AnswerDependencies, query: V1Query, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  if (query.pretty && query.format === 'json') {
    const parts: Buffer[] = [];
    for await (const piece of compactAnswer(deps, query, signal)) parts.push(piece);
    yield Buffer.from(indentJson(Buffer.concat(parts).toString('utf8')));
    return;
  }
  yield* compactAnswer(deps, query, signal);
}

type Steps = (deps: V1AnswerDependencies, query: V1Query, signal: AbortSignal, sink: AnswerSink) => AsyncGenerator<void>;

const STEPS: Readonly<Record<V1Query['format'], Steps>> = { json: jsonSteps, csv: csvSteps, msgpack: messagePackSteps };

async function* compactAnswer(deps: V1AnswerDependencies, query: V1Query, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const sink = new AnswerSink();
  try {
    const steps = STEPS[query.format](deps, query, signal, sink);
    for await (const _ of steps) {
      if (sink.length < PIECE_BYTES) continue;
      yield sink.take();
    }
  } catch (error) {
    if (sink.begun || !(error instanceof UnsupportedNumber)) throw error;
    sink.back(0);
    sink.ascii(JSON.stringify({ error: error.message }));
  }
  yield sink.take();
}

/**
 * Throws, as InfluxDB 1 does, for a mistake anywhere in the text (400), and for a statement that the access is not enough for (403),
 * before anything was written: no statement of the request is run then.
 */
function parse(deps: V1AnswerDependencies, v1Query: V1Query, signal: AbortSignal): readonly ParsedStatement[] {
  const { query, params } = v1Query;
  let statements: readonly ParsedStatement[];
  try {
    statements = parseInfluxql(query, params);
  } catch (error) {
    if (!(error instanceof InfluxError)) throw error;
    const { code, message } = error;
    const said = error instanceof InfluxqlParseError ? error.v1Message : message;
    throw new InfluxError({ code, message: `error parsing query: ${said}`, status: 400, shape: 'json', cause: error });
  }
  if (statements.length === 0) throw badV1Request('expected a query to be provided in the query string or body');
  for (const parsed of statements) {
    const request = orError(() => statementRequest(deps, v1Query, parsed, signal));
    if (!(request instanceof InfluxError)) deps.influxql.check(deps.access, request);
  }
  return statements;
}

/** Others get their turn between statements: thousands that wait for nothing would leave them none. */
async function* inTurns(statements: readonly ParsedStatement[]): AsyncGenerator<readonly [id: number, parsed: ParsedStatement]> {
  for (const [id, parsed] of statements.entries()) {
    if (id > 0) await nextTurn();
    yield [id, parsed];
  }
}

async function* jsonSteps(deps: V1AnswerDependencies, query: V1Query, signal: AbortSignal, sink: AnswerSink): AsyncGenerator<void> {
  const statements = parse(deps, query, signal);
  const chunked = query.chunkRows !== undefined;
  if (!chunked) sink.ascii('{"results":[');
  for await (const [id, parsed] of inTurns(statements)) {
    const head = `{"statement_id":${id}`;
    if (!chunked) sink.ascii(id === 0 ? head : `,${head}`);
    const opened = await open(deps, query, parsed, signal);
    let rows: V1Statement | undefined;
    if (!(opened instanceof InfluxError)) {
      const writer = new JsonSeriesWriter(id, shownColumns(opened), { epochNs: query.epochNs, chunked }, sink);
      rows = new V1Statement(opened.groupKey, query.chunkRows, writer);
      try {
        yield* writeRows(rows, opened);
      } catch (error) {
        if (!rows.hasRows || signal.aborted || (error instanceof UnsupportedNumber && !chunked && !sink.begun)) throw error;
        writer.fail(error instanceof UnsupportedNumber ? error.message : statementError(deps.toError(error)));
        if (!chunked) sink.ascii('}');
        continue;
      }
    }
    const error = opened instanceof InfluxError ? `,"error":${JSON.stringify(statementError(opened))}` : '';
    if (!chunked) sink.utf8(`${error}}`);
    else if (rows?.hasRows !== true) sink.utf8(`{"results":[${head}${error}}]}\n`);
    yield;
  }
  if (!chunked) sink.ascii(']}');
}

async function* csvSteps(deps: V1AnswerDependencies, query: V1Query, signal: AbortSignal, sink: TextSink): AsyncGenerator<void> {
  const statements = parse(deps, query, signal);
  let some = false;
  for await (const [, parsed] of inTurns(statements)) {
    const opened = await open(deps, query, parsed, signal);
    if (opened instanceof InfluxError) continue;
    const rows = new V1Statement(opened.groupKey, undefined, new CsvSeriesWriter(shownColumns(opened), query.epochNs, sink));
    yield* writeRows(rows, opened, () => some && sink.ascii('\n'));
    some ||= rows.hasRows;
  }
}

async function* messagePackSteps(deps: V1AnswerDependencies, query: V1Query, signal: AbortSignal, sink: TextSink): AsyncGenerator<void> {
  const { MessagePackSeriesWriter, MessagePackWriter } = await import('../response/v1/v1-msgpack.ts');
  const statements = parse(deps, query, signal);
  const writer = new MessagePackWriter(sink);
  const chunked = query.chunkRows !== undefined;
  if (!chunked) writer.results(statements.length);
  for await (const [id, parsed] of inTurns(statements)) {
    const opened = await open(deps, query, parsed, signal);
    if (!(opened instanceof InfluxError)) {
      const series = new MessagePackSeriesWriter(id, shownColumns(opened), { epochNs: query.epochNs, chunked }, writer);
      const rows = new V1Statement(opened.groupKey, query.chunkRows, series);
      yield* writeRows(rows, opened);
      if (rows.hasRows) continue;
    }
    if (chunked) writer.results(1);
    if (opened instanceof InfluxError) writer.refusal(id, statementError(opened));
    else writer.statement(id, 0);
    yield;
  }
}

/** Writes all rows of a statement. `beforeFirst` is called when there is a first one. */
async function* writeRows(rows: V1Statement, opened: InfluxqlResult, beforeFirst: () => void = () => undefined): AsyncGenerator<void> {
  const { emptyList, more = [] } = opened;
  for (const part of [opened, ...more]) {
    if (part !== opened) rows.next(part.groupKey, shownColumns(part));
    for await (const batch of part.result.batches()) {
      if (!rows.hasRows && batch.rowCount > 0) beforeFirst();
      rows.batch(batch);
      yield;
    }
  }
  rows.end(emptyList?.series);
}

/** Starts a statement; what refuses it is returned. */
async function open(
  deps: V1AnswerDependencies,
  query: V1Query,
  parsed: ParsedStatement,
  signal: AbortSignal,
): Promise<InfluxqlResult | InfluxError> {
  try {
    return await deps.influxql.for(deps.access).run(statementRequest(deps, query, parsed, signal));
  } catch (error) {
    return deps.toError(error);
  }
}

function statementRequest(deps: V1AnswerDependencies, query: V1Query, parsed: ParsedStatement, signal: AbortSignal): InfluxqlRequest {
  const { policyDatabase } = deps;
  const { statement, text } = parsed;
  const { mayChange } = query;
  const change = changeOf(statement);
  const allPolicies = statement.kind === 'change' && !namesPolicy(parsed, query);
  const database = v1StatementDatabase(parsed, query, allPolicies ? (name) => name : policyDatabase);
  if (database === undefined && needsDatabase(statement)) throw noDatabase();
  if (change !== undefined && !mayChange) throw postRequired(change);
  const target = statement.kind === 'select-into' ? intoDatabase(statement.into, query, policyDatabase) : undefined;
  if (statement.kind === 'select-into' && target === undefined) throw noDatabase();
  return { database, statement, text, signal, mayChange, allPolicies, intoDatabase: target, asV1: true };
}

/** What is wrong with a statement by itself is told in its result. */
function orError<T>(make: () => T): T | InfluxError {
  try {
    return make();
  } catch (error) {
    if (error instanceof InfluxError) return error;
    throw error;
  }
}

/** How a statement that changes something begins; undefined = it changes nothing. */
function changeOf(statement: ParsedStatement['statement']): string | undefined {
  if (statement.kind === 'change') return statement.change.what;
  if (statement.kind === 'select-into') return 'SELECT INTO';
  return statement.kind === 'kill-query' ? 'KILL QUERY' : undefined;
}

/** No database is known for a statement that needs one. */
export function noDatabase(): InfluxError {
  return new InfluxError({
    code: 'INFLUXQL_NO_DATABASE',
    message: "must specify a 'db' parameter, or provide the database in the InfluxQL query",
    status: 400,
  });
}

function postRequired(what: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_STATEMENT', message: `${what} changes data, please use a POST request`, status: 400 });
}

/** A refusal as it stands in the result of its statement: the reason alone, as InfluxDB 1 tells it, without the steps that lead to it. */
function statementError(error: InfluxError): string {
  const { code, message } = error;
  if (code === 'DATABASE_NOT_FOUND') return message.replace(/^query error: /, '');
  if (code === 'INFLUXQL_NO_DATABASE') return `database name required: ${message}`;
  return message.replace(/^.*\ncaused by\n/s, '').replace(/^Error during planning: /, '');
}
