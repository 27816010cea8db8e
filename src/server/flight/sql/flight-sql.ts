import { parseInfluxql } from '../../../query/influxql/parse/index.ts';
import type { BindValue } from '../../../query/result.ts';
import { arrowSchema } from '../../../query/results/index.ts';
import { encapsulated, schemaMessage } from '../../../shared/arrow/schema-message.ts';
import type { CallDependencies } from '../dependencies.ts';
import { invalidArgument, queryFailure } from '../errors.ts';
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { flightDataHead, readAction, readAny, readDescriptor, readFlightData, writeFlightInfo } from '../protobuf/messages.ts';
import { answerQuery, groupKeyMetadata, influxqlRequest, startInfluxql } from '../queries.ts';
import { writeCommandTicket } from '../ticket.ts';
import { notExpected, readCommand, type SqlCommand } from './commands.ts';
import { type MetadataSource, metadataRows } from './metadata.ts';
import { boundStatement, createdStatement, readHandle, receivedParams } from './prepared.ts';
import { asksInfluxql, baseTableType, databaseOf } from './request.ts';
import { SQL_INFO_SCHEMA, sqlInfoBatch } from './sql-info.ts';
import { xdbcTypes } from './xdbc-types.ts';

/** GetFlightInfo: what a command answers with, and the ticket to ask for it. */
export async function getFlightInfo(call: GrpcCall, deps: CallDependencies): Promise<void> {
  const descriptor = await call.message();
  const database = databaseOf(call);
  deps.requireRead(database);
  const { kind, command: bytes } = readDescriptor(descriptor);
  if (kind !== 'command') throw invalidArgument('No FlightDescriptor in Flight SQL request');
  const any = readAny(bytes);
  const command = readCommand(any);
  if (command.kind === 'create-prepared' || command.kind === 'close-prepared') throw notExpected('GetFlightInfo', any);
  const schema = await planning(database, () => schemaOf(command, call, deps, database));
  await call.send(writeFlightInfo({ schema: encapsulated(schema), descriptor, ticket: writeCommandTicket(database, bytes) }));
  call.end();
}

/** DoGet for a command. */
export async function answerCommand(call: GrpcCall, deps: CallDependencies, database: string, bytes: Uint8Array): Promise<void> {
  const any = readAny(bytes);
  const command = readCommand(any);
  const name = any.typeUrl.slice(any.typeUrl.lastIndexOf('.') + 1);
  switch (command.kind) {
    case 'create-prepared':
    case 'close-prepared':
      throw notExpected('DoGet', any);
    case 'sql-info': {
      const { header, body } = sqlInfoBatch(command.ids);
      await call.send(flightDataHead(schemaMessage(SQL_INFO_SCHEMA), 0));
      await call.send(flightDataHead(header, body.length), body);
      call.end();
      return;
    }
    case 'statement':
      if (asksInfluxql(call)) {
        await answerQuery(call, deps, database, 'sql', () => startInfluxql(database, command.query, deps, call.signal));
        return;
      }
      await statement(call, deps, { database, query: command.query, params: new Map(), name });
      return;
    case 'prepared': {
      const { query, params } = await readHandle(command.handle);
      await statement(call, deps, { database, query, params, name });
      return;
    }
    default: {
      const source = metadataSource(call, deps, database);
      await answerQuery(call, deps, database, 'sql', async () => ({
        result: command.kind === 'xdbc-types' ? xdbcTypes(command.dataType) : await metadataRows(command, source, false),
      }));
    }
  }
}

/** DoAction: the body says what is asked for, not the type. */
export async function doAction(call: GrpcCall, deps: CallDependencies): Promise<void> {
  const action = readAction(await call.message());
  const database = databaseOf(call);
  deps.requireRead(database);
  const any = readAny(action.body);
  const command = readCommand(any);
  if (command.kind === 'close-prepared') {
    await call.send(new Uint8Array(0));
  } else if (command.kind === 'create-prepared') {
    const { query } = command;
    const request = { database, query, params: new Map<string, BindValue>(), signal: call.signal };
    const described = await planning(database, () => deps.queryService.describe(request));
    await call.send(createdStatement(query, described));
  } else throw notExpected('DoAction', any);
  call.end();
}

/** DoPut: binds the parameters of a prepared statement. */
export async function doPut(call: GrpcCall, deps: CallDependencies): Promise<void> {
  const database = databaseOf(call);
  deps.requireRead(database);
  const messages: Buffer[] = [];
  for await (const message of call.messages()) {
    messages.push(message);
    // the schema, then the batch whose first row counts
    if (messages.length > 1 && readFlightData(message).body.length > 0) break;
    if (messages.length >= PUT_MESSAGES_MAX) break;
  }
  const descriptor = messages[0] === undefined ? undefined : readFlightData(messages[0]).descriptor;
  if (descriptor === undefined) throw invalidArgument('No FlightDescriptor in Flight SQL request');
  const any = readAny(readDescriptor(descriptor).command);
  const command = readCommand(any);
  if (command.kind !== 'prepared') throw notExpected('DoPut', any);
  const { query } = await readHandle(command.handle);
  const received = await receivedParams(messages);
  const request = { database, query, params: new Map<string, BindValue>(), signal: call.signal };
  const { parameters } = await planning(database, () => deps.queryService.describe(request));
  await call.send(
    boundStatement(
      query,
      received,
      parameters.map(({ name }) => name),
    ),
  );
  call.end();
}

/** Messages that are read until one has a batch. */
const PUT_MESSAGES_MAX = 4;

async function planning<T>(database: string, plan: () => Promise<T>): Promise<T> {
  try {
    return await plan();
  } catch (error) {
    throw queryFailure(error, 'sql', database);
  }
}

interface Statement {
  readonly database: string;
  readonly query: string;
  readonly params: ReadonlyMap<string, BindValue>;
  /** Of the command, for the query log. */
  readonly name: string;
}

async function statement(call: GrpcCall, deps: CallDependencies, { database, query, params, name }: Statement): Promise<void> {
  const request = { database, query, params, kind: 'flightsql', loggedText: `${name} ${query}`, signal: call.signal } as const;
  await answerQuery(call, deps, database, 'sql', async (onPlanned) => ({ result: await deps.queryService.sql({ ...request, onPlanned }) }));
}

type PlannedCommand = Exclude<SqlCommand, { kind: 'create-prepared' | 'close-prepared' }>;

/** The schema message of a command's answer. */
async function schemaOf(command: PlannedCommand, call: GrpcCall, deps: CallDependencies, database: string): Promise<Buffer> {
  const { signal } = call;
  switch (command.kind) {
    case 'sql-info':
      return schemaMessage(SQL_INFO_SCHEMA);
    case 'xdbc-types':
      return schemaMessage(arrowSchema(xdbcTypes(undefined).columns));
    case 'statement': {
      if (!asksInfluxql(call)) {
        const { columns } = await deps.queryService.describe({ database, query: command.query, params: new Map(), signal });
        return schemaMessage(arrowSchema(columns));
      }
      const request = influxqlRequest(database, command.query, parseInfluxql(command.query, new Map()), signal);
      const { columns, groupKey } = await deps.influxqlService.describe(request);
      return schemaMessage(arrowSchema(columns, groupKeyMetadata(groupKey)));
    }
    case 'prepared': {
      const { query, params } = await readHandle(command.handle);
      const { columns } = await deps.queryService.describe({ database, query, params, signal });
      return schemaMessage(arrowSchema(columns));
    }
    default:
      return schemaMessage(arrowSchema((await metadataRows(command, metadataSource(call, deps, database), true)).columns));
  }
}

function metadataSource(call: GrpcCall, deps: CallDependencies, database: string): MetadataSource {
  return { queryService: deps.queryService, database, signal: call.signal, baseTableType: baseTableType(call) };
}
