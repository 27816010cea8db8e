import { type ColumnType, ioxColumnType } from '../../shared/column-type.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { LineError } from './types.ts';

/** The first bad line of a write that does not accept parts: LINE_PROTOCOL of docs/errors.md, "Writes". */
export class LineProtocolError extends InfluxError {
  readonly lineError: LineError;

  constructor(lineError: LineError) {
    super({
      code: 'LINE_PROTOCOL',
      message: 'line protocol parsing error',
      status: 400,
      shape: 'json',
      data: { error_message: lineError.errorMessage, line_number: lineError.lineNumber, original_line: lineError.originalLine },
    });
    this.name = 'LineProtocolError';
    this.lineError = lineError;
  }
}

/** Rows and columns of one write multiply to more memory than its body can justify. */
export function writeTooSparse(bytesMax: number): InfluxError {
  const message = `write spreads over too many columns: its rows need more than ${bytesMax} bytes in memory, send smaller batches`;
  return new InfluxError({ code: 'WRITE_TOO_SPARSE', message, status: 413 });
}

export const NO_FIELDS = 'No fields were provided';
export const INVALID_MEASUREMENT = 'Invalid measurement was provided';
export const ENDS_WITH_BACKSLASH = 'Measurements, tag keys and values, and field keys may not end with a backslash';
export const STRING_TOO_LONG = 'String is greater than 1MB';

/** Messages that quote a part of the line; `quoted` comes with its backticks. */
export const trailingContent = (quoted: string): string => `Could not parse entire line. Found trailing content: ${quoted}`;
export const expectedSpace = (quoted: string): string => `Expected at least one space character, got ${quoted}`;
export const expectedTagKey = (quoted: string): string => `Expected tag key, got ${quoted}`;
export const expectedTagValue = (quoted: string): string => `Expected tag value, got ${quoted}`;
export const malformedTagSet = (quoted: string): string => `Tag set malformed: could not find equals sign in ${quoted}`;
export const integerInvalid = (digits: string): string => `Unable to parse integer value \`${digits}\``;
export const unsignedInvalid = (digits: string): string => `Unable to parse unsigned integer value \`${digits}\``;
export const timestampInvalid = (digits: string): string => `Unable to parse timestamp value \`${digits}\``;

/** Messages for lines that do not fit the table (docs/errors.md). */
export const deletedTable = (name: string): string => `cannot write to soft-deleted table '${name}' - it is marked for deletion`;
export const reservedColumn = (name: string): string => `'${name}' is a reserved column`;
export const repeatedColumn = (name: string, kind: 'field' | 'tag'): string =>
  `invalid line protocol - multiple instances of '${name}' ${kind} found`;
export const columnTypeConflict = (name: string, expected: ColumnType, got: ColumnType): string =>
  `invalid column type for column '${name}', expected ${ioxColumnType(expected)}, got ${ioxColumnType(got)}`;
export const timestampOutOfRange = (timestamp: bigint, precision: string): string =>
  `timestamp, ${timestamp}, out of range for precision: ${precision}`;
