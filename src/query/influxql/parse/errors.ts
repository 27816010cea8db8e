import { InfluxError } from '../../../shared/errors.ts';

/** A text that is no InfluxQL; 400. `offset` counts UTF-16 units, the message bytes. */
export function parseError(text: string, offset: number, message: string, details = ''): InfluxError {
  const position = Buffer.byteLength(text.slice(0, offset));
  return new InfluxError({
    code: 'INFLUXQL_PARSE',
    message: `error in InfluxQL statement: parsing error: ${message} at pos ${position}${details}`,
    status: 400,
  });
}

/** A text in quotes with the escapes of InfluxDB 3 Core's messages. */
export function debugText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `"${escaped}"`;
}
