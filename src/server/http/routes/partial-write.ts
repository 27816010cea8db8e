import type { LineError } from '../../../write/line-protocol/types.ts';

/** Reasons that one answer tells; the count of dropped lines is always whole. */
const REASONS_MAX = 100;

/** What a client of v1 or v2 hears about lines that were not stored. */
export interface PartialWrite {
  readonly acceptedLines: number;
  /** Not empty. */
  readonly lineErrors: readonly LineError[];
}

/** Lines that can be read, but not stored. */
const NO_PLACE = /^(?:Update to schema|cannot write to) /;

const TYPE_CONFLICT = /^invalid column type for column '(.*)', expected iox::column_type::(.*), got iox::column_type::(.*)$/s;

/**
 * The text of InfluxDB 1 for a write of which lines were refused: clients look for `partial write`, `unable to parse` and
 * `field type conflict` to tell what can be sent again. A body of nothing but unreadable lines is no partial write.
 */
export function partialWriteText({ acceptedLines, lineErrors }: PartialWrite): string {
  const reasons = lineErrors.slice(0, REASONS_MAX).map(reasonOf);
  const unreadable = lineErrors.every(({ errorMessage }) => !TYPE_CONFLICT.test(errorMessage) && !NO_PLACE.test(errorMessage));
  const text = reasons.join('\n');
  return acceptedLines === 0 && unreadable ? text : `partial write: ${text} dropped=${lineErrors.length}`;
}

function reasonOf({ errorMessage, originalLine }: LineError): string {
  if (NO_PLACE.test(errorMessage)) return errorMessage;
  const conflict = TYPE_CONFLICT.exec(errorMessage);
  if (conflict === null) return `unable to parse '${originalLine}': ${errorMessage}`;
  const [, column, expected, got] = conflict as unknown as [string, string, string, string];
  // The line is cut: its measurement is known when something stands behind it.
  const measurement = /^((?:[^\\, ]|\\.)*)[, ]/s.exec(originalLine)?.[1]?.replace(/\\([, ])/g, '$1');
  const where = measurement === undefined ? '' : ` on measurement "${measurement}"`;
  return `field type conflict: input field "${column}"${where} is type ${kindOf(got)}, already exists as type ${kindOf(expected)}`;
}

/** `field::float` is a float, `tag` stays one. */
function kindOf(columnType: string): string {
  const kind = columnType.replace(/^field::/, '');
  return kind === 'uinteger' ? 'unsigned' : kind;
}
