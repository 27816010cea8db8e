import { isUtf8 } from 'node:buffer';
import type { BindValue } from '../../query/result.ts';
import { InfluxError } from '../../shared/errors.ts';
import { bindParams } from '../http/request/bind-params.ts';
import { JsonObjectReader } from '../http/request/json-body.ts';
import { FlightError, invalidTicket } from './errors.ts';
import { NO_BYTES, readAny, writeAny } from './protobuf/messages.ts';
import { WireMessage, writeMessage } from './protobuf/wire.ts';

/** What a ticket asks for. */
export type FlightTicket =
  | {
      readonly kind: 'sql' | 'influxql';
      readonly database: string;
      readonly query: string;
      readonly params: ReadonlyMap<string, BindValue>;
    }
  | { readonly kind: 'flightsql'; readonly database: string; readonly command: Uint8Array };

const READ_INFO_URL = 'type.googleapis.com/influxdata.iox.querier.v1.ReadInfo';

/** Values of `query_type`. */
const [UNSPECIFIED, SQL, INFLUXQL, FLIGHTSQL] = [0n, 1n, 2n, 3n];

/**
 * Reads a ticket: ReadInfo inside `google.protobuf.Any`, bare ReadInfo, or the JSON that the official clients send. Throws
 * INVALID_ARGUMENT for anything else.
 */
export function readFlightTicket(bytes: Uint8Array): FlightTicket {
  const wrapped = insideAny(bytes);
  const found = wrapped === undefined ? (attempt(() => bareReadInfo(bytes)) ?? jsonTicket(bytes)) : attempt(() => readInfo(wrapped));
  if (found === undefined) throw invalidTicket();
  return found;
}

/** A ticket for a Flight SQL command. */
export function writeCommandTicket(database: string, command: Uint8Array): Buffer {
  const value = writeMessage([
    [1, database],
    [3, FLIGHTSQL],
    [4, command],
  ]);
  return writeAny({ typeUrl: READ_INFO_URL, value });
}

/** What is inside of Any when it says that it is ReadInfo; that is not read as anything else then. */
function insideAny(bytes: Uint8Array): Uint8Array | undefined {
  const any = attempt(() => readAny(bytes));
  return any?.typeUrl === READ_INFO_URL ? any.value : undefined;
}

/** compat: what has no database and no query is no ReadInfo, although empty bytes are one to the letter. */
function bareReadInfo(bytes: Uint8Array): FlightTicket | undefined {
  const ticket = readInfo(bytes);
  return ticket.database === '' ? undefined : ticket;
}

/** ReadInfo: https://github.com/influxdata/influxdb3_core/blob/main/generated_types/protos/influxdata/iox/querier/v1/flight.proto */
function readInfo(bytes: Uint8Array): FlightTicket {
  const message = new WireMessage(bytes);
  const database = message.text(1) ?? '';
  const query = message.text(2) ?? '';
  const type = message.integer(3) ?? UNSPECIFIED;
  const command = message.bytes(4) ?? NO_BYTES;
  if (type === FLIGHTSQL && query === '') return { kind: 'flightsql', database, command };
  if ((type !== UNSPECIFIED && type !== SQL && type !== INFLUXQL) || command.length > 0) throw invalidTicket();
  const params = new Map(message.all(6).map(readParam));
  return { kind: type === INFLUXQL ? 'influxql' : 'sql', database, query, params };
}

/** QueryParam: a name, and one of the fields 2 to 7. */
function readParam(bytes: Uint8Array): readonly [string, BindValue] {
  const message = new WireMessage(bytes);
  return [message.text(1) ?? '', paramValue(message)];
}

function paramValue(message: WireMessage): BindValue {
  const number = message.lastOf(PARAM_VALUE_FIELDS);
  switch (number) {
    case 2:
      return { kind: 'null' };
    case 3:
      return { kind: 'boolean', value: message.integer(number) !== 0n };
    case 4:
      return { kind: 'uint64', value: message.integer(number) ?? 0n };
    case 5:
      return { kind: 'int64', value: BigInt.asIntN(64, message.integer(number) ?? 0n) };
    case 6:
      return { kind: 'float64', value: message.float64(number) ?? 0 };
    case 7:
      return { kind: 'string', value: message.text(number) ?? '' };
    default:
      throw invalidTicket();
  }
}

/** Null, boolean, unsigned integer, integer, float, text. */
const PARAM_VALUE_FIELDS = [2, 3, 4, 5, 6, 7] as const;

const DATABASE_NAMES = ['database', 'namespace_name', 'bucket', 'bucket-name'] as const;

/** Undefined when the bytes are not JSON, or miss or have what they must not. */
function jsonTicket(bytes: Uint8Array): FlightTicket | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return attempt(() => {
    const reader = JsonObjectReader.parse(text, 'TicketPayload', [...DATABASE_NAMES, 'sql_query', 'query_type', 'params', 'is_debug']);
    const names = DATABASE_NAMES.filter((name) => reader.has(name));
    const [name] = names;
    if (name === undefined || names.length > 1) return undefined;
    const kind = reader.optionalString('query_type') ?? 'sql';
    if (kind !== 'sql' && kind !== 'influxql') return undefined;
    reader.optionalBoolean('is_debug');
    const params = reader.optionalNode('params');
    return {
      kind,
      database: reader.string(name),
      query: reader.string('sql_query'),
      params: params === undefined ? new Map() : bindParams(text, params),
    };
  });
}

/** Undefined when the bytes are of another form. */
function attempt<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof InfluxError || error instanceof FlightError) return undefined;
    throw error;
  }
}
