import type { StatementDescription } from '../../../query/query-service.ts';
import type { BindValue, ResultColumn } from '../../../query/result.ts';
import { arrowSchema } from '../../../query/results/index.ts';
import { type ArrowSchema, encapsulated, schemaMessage } from '../../../shared/arrow/schema-message.ts';
import { invalidArgument } from '../errors.ts';
import { readAny, readFlightData, writeAny } from '../protobuf/messages.ts';
import { WireMessage, writeMessage } from '../protobuf/wire.ts';
import { SQL_URL } from './commands.ts';
import { readParams, writeParams } from './params.ts';

const HANDLE_URL = 'type.googleapis.com/influxdata.iox.querier.v1.FlightSqlPreparedStatementHandle';

/** A prepared statement: all of it is in the handle, the server keeps nothing. */
export interface PreparedStatement {
  readonly query: string;
  readonly params: ReadonlyMap<string, BindValue>;
}

/** Reads a handle; a query as plain text is one too. */
export async function readHandle(bytes: Uint8Array): Promise<PreparedStatement> {
  const message = handleMessage(bytes);
  if (message === undefined) return { query: Buffer.from(bytes).toString('utf8'), params: new Map() };
  const params = message.bytes(2);
  return { query: message.text(1) ?? '', params: params === undefined ? new Map() : await readParams(params) };
}

function handleMessage(bytes: Uint8Array): WireMessage | undefined {
  try {
    const { typeUrl, value } = readAny(bytes);
    return typeUrl === HANDLE_URL ? new WireMessage(value) : undefined;
  } catch {
    return undefined; // plain text
  }
}

function writeHandle({ query, params }: PreparedStatement): Buffer {
  const value = writeMessage([
    [1, query],
    [2, params.size === 0 ? undefined : writeParams(params)],
  ]);
  return writeAny({ typeUrl: HANDLE_URL, value });
}

/** Result of CreatePreparedStatement. Throws INVALID_ARGUMENT when the type of a parameter cannot be told. */
export function createdStatement(query: string, { columns, parameters }: StatementDescription): Buffer {
  const fields = parameters.map(({ name, type }): ResultColumn => {
    if (type === undefined) throw invalidArgument(`Error while planning Flight SQL : the type of the parameter $${name} is not known`);
    return { name: `$${name}`, type };
  });
  const value = writeMessage([
    [1, writeHandle({ query, params: new Map() })],
    [2, message(arrowSchema(columns))],
    [3, message(arrowSchema(fields))],
  ]);
  return writeMessage([[1, writeAny({ typeUrl: `${SQL_URL}ActionCreatePreparedStatementResult`, value })]]);
}

function message(schema: ArrowSchema): Buffer {
  return encapsulated(schemaMessage(schema));
}

/** The values of the first row that a client sends with DoPut, by the names of their columns. */
export async function receivedParams(messages: readonly Uint8Array[]): Promise<ReadonlyMap<string, BindValue>> {
  const stream = messages.flatMap((bytes) => {
    const { header, body } = readFlightData(bytes);
    if (header.length === 0) return [];
    const padding = Buffer.alloc((8 - (header.length % 8)) % 8);
    return [encapsulated(Buffer.concat([header, padding])), body];
  });
  return readParams(Buffer.concat(stream));
}

/** Result of DoPut: the handle with its parameters. Columns that are not called like parameters count by their place. */
export function boundStatement(query: string, received: ReadonlyMap<string, BindValue>, names: readonly string[]): Buffer {
  const isNamed = [...received.keys()].every((name) => names.includes(name));
  const values = [...received].map(([name, value], i): [string, BindValue] => [isNamed ? name : (names[i] ?? name), value]);
  const result = writeMessage([[1, writeHandle({ query, params: new Map(values) })]]);
  return writeMessage([[1, result]]);
}
