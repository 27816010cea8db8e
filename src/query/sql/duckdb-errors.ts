/** Engine failures -> what clients see. */
import { InfluxError } from '../../shared/errors.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import { needsTooMuchMemory } from '../execute/memory-watch.ts';
import { tooComplex } from './complexity.ts';
import { bindText, castText, functionText, overflowText, withArrowTypes } from './duckdb-texts.ts';
import { arrowError, executionError, planError } from './types/errors.ts';

const knownPrefixes =
  /^(Arrow error|Execution error|External error|Error during planning|This feature is not implemented|Resources exhausted): /;

/** Translates anything that DuckDB threw. Raw engine text stays in `cause`. */
export function mapEngineError(error: unknown): InfluxError {
  if (error instanceof InfluxError) return error;
  const raw = error instanceof Error ? error.message : String(error);
  const text = firstParagraph(raw);
  const match = /^(?:TransactionContext Error: .*?: )?([A-Za-z]+(?: [A-Za-z]+)*) Error: ([\s\S]*)$/.exec(text);
  const kind = match?.[1] ?? '';
  const message = match?.[2] ?? text;
  const own = knownPrefixes.exec(message);
  if (own) {
    const status = own[1] === 'Error during planning' ? 400 : own[1] === 'This feature is not implemented' ? 405 : 500;
    const grpc = own[1] === 'Resources exhausted' ? GRPC_STATUS.RESOURCE_EXHAUSTED : GRPC_STATUS.INVALID_ARGUMENT;
    return new InfluxError({ code: 'SQL_RAISED', message, status, grpc, cause: error });
  }
  if (message.startsWith('Max expression depth limit')) return tooComplex();
  const worded = referenceWords(kind, message);
  if (worded !== undefined) return worded(error);
  switch (kind) {
    case 'Binder':
    case 'Parser':
    case 'Catalog':
    case 'Syntax':
    case 'Not implemented':
      return planError(readable(message), error);
    case 'Conversion':
      return arrowError(`Cast error: ${readable(message)}`, error);
    case 'Out of Range':
      return arrowError(`Arithmetic overflow: ${overflowText(readable(message))}`, error);
    case 'Out of Memory':
      return needsTooMuchMemory(error);
    case 'INTERRUPT':
    case 'Interrupt':
      return executionError('query was cancelled', error);
    case 'Permission':
      return planError('the statement needs access that queries do not have', error);
    default:
      return executionError(readable(message), error);
  }
}

/** Failures that InfluxDB 3 Core has too, in its words. */
function referenceWords(kind: string, message: string): ((cause: unknown) => InfluxError) | undefined {
  const bind = bindText(message);
  if (bind !== undefined) return (cause) => planError(bind, cause);
  if (kind !== 'Conversion' && kind !== 'Invalid Input') return undefined;
  const cast = castText(message);
  if (cast !== undefined) return (cause) => arrowError(cast, cause);
  const said = functionText(message);
  if (said === undefined) return undefined;
  return (cause) =>
    new InfluxError({
      code: said.startsWith('Arrow') ? 'SQL_ARROW' : 'SQL_EXECUTION',
      message: said,
      status: 500,
      grpc: GRPC_STATUS.INVALID_ARGUMENT,
      cause,
    });
}

/** True for failures that statements printed with `wrapsIntegers` do not have. */
export function isOverflow(error: unknown): boolean {
  const cause = error instanceof InfluxError ? error.cause : error;
  return cause instanceof Error && (INTEGER_OVERFLOW.test(cause.message) || SQUARE_OVERFLOW.test(cause.message));
}

/** Operators, negation, and sums: only these make 128-bit integers that are cast; and months that begin before all time. */
const INTEGER_OVERFLOW =
  /^(Out of Range Error: Overflow in |Conversion Error: (?:Type INT128 with value |Could not convert Timestamp\(US\) to Timestamp\(NS\)))/;

/** Squares of doubles, in standard deviations and what is made like them. */
const SQUARE_OVERFLOW = /^Out of Range Error: (?:STDDEV|VAR)[A-Z_]*(?:\([XY]\))?(?: for [XY])? is out of range!/;

/** Without the caret picture and hints that follow the first lines. */
function firstParagraph(text: string): string {
  return text.split('\n\nLINE ')[0]?.trim() ?? text;
}

/** Internal names mean nothing to clients. */
function readable(text: string): string {
  const first = text.split(/\n\n|\n\s*(?:\*|Candidate|Did you mean|Possible solutions|LINE )| - scalar subqueries can only /)[0] ?? text;
  return withArrowTypes(first)
    .replaceAll(/\b_df\./g, '')
    .replaceAll(/\b[tswq]\d+\./g, '')
    .trim();
}
