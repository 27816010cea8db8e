/** Failures of InfluxQL planning, with the texts of docs/errors.md, "Queries". */
import { InfluxError } from '../../../shared/errors.ts';

/** `Error during planning: ...`, 400. */
export function planError(text: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_PLAN', message: `Error during planning: ${text}`, status: 400 });
}

/** A check on the SELECT list, with the rewriter's chain in front; 400. */
export function selectError(text: string): InfluxError {
  const message = `rewriting statement\ncaused by\ngather information about select statement\ncaused by\nError during planning: ${text}`;
  return new InfluxError({ code: 'INFLUXQL_SELECT', message, status: 400 });
}

/** `This feature is not implemented: ...`, 405. */
export function notImplemented(text: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_NOT_IMPLEMENTED', message: `This feature is not implemented: ${text}`, status: 405 });
}
