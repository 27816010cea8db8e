/** Failures of SQL compilation, with the texts and statuses of docs/errors.md, "Queries". */
import { InfluxError } from '../../../shared/errors.ts';
import { GRPC_STATUS } from '../../../shared/grpc-status.ts';

/** `Error during planning: ...`, 400. */
export function planError(text: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'SQL_PLAN', message: `Error during planning: ${text}`, status: 400, cause });
}

/** `Schema error: ...`. A user's mistake, so 400 where InfluxDB 3 Core says 500. */
export function schemaError(text: string): InfluxError {
  return new InfluxError({ code: 'SQL_SCHEMA', message: `Schema error: ${text}`, status: 400 });
}

/** `SQL error: ...`, 400: the text is not a statement. */
export function sqlError(text: string): InfluxError {
  return new InfluxError({ code: 'SQL_SYNTAX', message: `SQL error: ${text}`, status: 400 });
}

/** `This feature is not implemented: ...`, 405. */
export function notImplemented(text: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'SQL_NOT_IMPLEMENTED', message: `This feature is not implemented: ${text}`, status: 405, cause });
}

/** `Execution error: ...`, 500. */
export function executionError(text: string, cause?: unknown): InfluxError {
  return new InfluxError({
    code: 'SQL_EXECUTION',
    message: `Execution error: ${text}`,
    status: 500,
    grpc: GRPC_STATUS.INVALID_ARGUMENT,
    cause,
  });
}

/** `Arrow error: ...`, 500. */
export function arrowError(text: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'SQL_ARROW', message: `Arrow error: ${text}`, status: 500, grpc: GRPC_STATUS.INVALID_ARGUMENT, cause });
}

/** A constant that the planner could not fold: the rule's name, then the Arrow error; 500. */
export function foldingError(text: string): InfluxError {
  return new InfluxError({
    code: 'SQL_ARROW',
    message: `Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: ${text}`,
    status: 500,
    grpc: GRPC_STATUS.INVALID_ARGUMENT,
  });
}

/** Types that do not fit together: `type_coercion\ncaused by\nError during planning: ...`, 400. */
export function coercionError(text: string): InfluxError {
  return new InfluxError({ code: 'SQL_TYPE', message: `type_coercion\ncaused by\nError during planning: ${text}`, status: 400 });
}

/** A relation that is not in the catalog. Name as folded or written; `hint` follows as a line of its own. */
export function tableNotFound(parts: readonly string[], hint = ''): InfluxError {
  const full = parts.length >= 3 ? parts : parts.length === 2 ? ['public', ...parts] : ['public', 'iox', ...parts];
  return planError(`table '${full.join('.')}' not found${hint}`);
}
