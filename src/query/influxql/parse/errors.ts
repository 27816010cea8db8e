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
