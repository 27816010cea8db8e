import { invalidArgument } from '../errors.ts';
import { type AnyMessage, NO_BYTES } from '../protobuf/messages.ts';
import { WireMessage } from '../protobuf/wire.ts';

/** Commands of Flight SQL that are understood: https://arrow.apache.org/docs/format/FlightSql.html */
export type SqlCommand =
  | { readonly kind: 'statement'; readonly query: string }
  | { readonly kind: 'prepared'; readonly handle: Uint8Array }
  | { readonly kind: 'catalogs' | 'table-types' | 'primary-keys' | 'foreign-keys' }
  | { readonly kind: 'schemas'; readonly catalog: string | undefined; readonly schemaPattern: string | undefined }
  | TablesCommand
  | { readonly kind: 'sql-info'; readonly ids: readonly number[] }
  | { readonly kind: 'xdbc-types'; readonly dataType: number | undefined }
  | { readonly kind: 'create-prepared'; readonly query: string }
  | { readonly kind: 'close-prepared' };

export interface TablesCommand {
  readonly kind: 'tables';
  readonly catalog: string | undefined;
  readonly schemaPattern: string | undefined;
  readonly tablePattern: string | undefined;
  /** Empty = all. */
  readonly types: readonly string[];
  readonly includeSchema: boolean;
}

export const SQL_URL = 'type.googleapis.com/arrow.flight.protocol.sql.';

/** Reads a command. Throws INVALID_ARGUMENT for those that are not served. */
export function readCommand({ typeUrl, value }: AnyMessage): SqlCommand {
  const name = typeUrl.startsWith(SQL_URL) ? typeUrl.slice(SQL_URL.length) : '';
  const message = new WireMessage(value);
  switch (name) {
    case 'CommandStatementQuery':
      return { kind: 'statement', query: message.text(1) ?? '' };
    case 'CommandPreparedStatementQuery':
      return { kind: 'prepared', handle: message.bytes(1) ?? NO_BYTES };
    case 'CommandGetCatalogs':
      return { kind: 'catalogs' };
    case 'CommandGetTableTypes':
      return { kind: 'table-types' };
    case 'CommandGetPrimaryKeys':
      return { kind: 'primary-keys' };
    case 'CommandGetExportedKeys':
    case 'CommandGetImportedKeys':
    case 'CommandGetCrossReference':
      return { kind: 'foreign-keys' };
    case 'CommandGetDbSchemas':
      return { kind: 'schemas', catalog: message.text(1), schemaPattern: message.text(2) };
    case 'CommandGetTables':
      return {
        kind: 'tables',
        catalog: message.text(1),
        schemaPattern: message.text(2),
        tablePattern: message.text(3),
        types: message.texts(4),
        includeSchema: (message.integer(5) ?? 0n) !== 0n,
      };
    case 'CommandGetSqlInfo':
      return { kind: 'sql-info', ids: message.integers(1).map(Number) };
    case 'CommandGetXdbcTypeInfo':
      return { kind: 'xdbc-types', dataType: message.has(1) ? Number(BigInt.asIntN(32, message.integer(1) ?? 0n)) : undefined };
    case 'ActionCreatePreparedStatementRequest':
      return { kind: 'create-prepared', query: message.text(1) ?? '' };
    case 'ActionClosePreparedStatementRequest':
      return { kind: 'close-prepared' };
    default:
      throw invalidArgument(`Unsupported FlightSQL message type: ${typeUrl}`);
  }
}

/** A command that belongs to another method. */
export function notExpected(method: string, { typeUrl }: AnyMessage): Error {
  return invalidArgument(`Protocol error. Method ${method} does not expect '${typeUrl.slice(typeUrl.lastIndexOf('.') + 1)}'`);
}
