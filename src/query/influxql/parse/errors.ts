import { InfluxError } from '../../../shared/errors.ts';

/** Words of a text are shown up to this many characters. */
const SHOWN_CHARS_MAX = 40;

/** A text that is no InfluxQL; 400. The message is that of InfluxDB 3 Core. */
export class InfluxqlParseError extends InfluxError {
  /** What InfluxDB 1 would call it: `found FROM, invalid SELECT statement, expected field at line 1, char 8`. */
  readonly v1Message: string;

  /** @param offset counts UTF-16 units; the message counts bytes @param details behind the position */
  constructor(text: string, offset: number, message: string, details = '') {
    const position = Buffer.byteLength(text.slice(0, offset));
    super({
      code: 'INFLUXQL_PARSE',
      message: `error in InfluxQL statement: parsing error: ${message} at pos ${position}${details}`,
      status: 400,
    });
    const lines = text.slice(0, offset).split('\n');
    this.position = { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 };
    const found = /^(?:\p{L}[\p{L}\p{N}_]*|\S+)/u.exec(text.slice(offset).trimStart())?.[0].slice(0, SHOWN_CHARS_MAX) ?? 'EOF';
    this.v1Message = `found ${found}, ${message} at line ${lines.length}, char ${(lines.at(-1) ?? '').length + 1}`;
  }
}

/** Same as `new InfluxqlParseError`. */
export function parseError(text: string, offset: number, message: string, details = ''): InfluxqlParseError {
  return new InfluxqlParseError(text, offset, message, details);
}
