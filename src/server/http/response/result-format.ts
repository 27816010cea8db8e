import { invalidMimeType } from './errors.ts';
import type { FormatName } from './formats/index.ts';

/** A format that a query can be answered in. */
export type QueryFormat = FormatName | 'parquet';

/** Words of the `format` parameter, in the order in which a refusal lists them. */
export const QUERY_FORMATS = ['parquet', 'csv', 'pretty', 'json', 'json_lines', 'jsonl'] as const;

/** Format of a checked `format` word. */
export function formatOf(word: string): QueryFormat {
  return word === 'json_lines' ? 'jsonl' : (word as QueryFormat);
}

/** Format that the `Accept` header asks for, compared byte by byte. Throws `invalid mime type (..)`. */
export function formatFromAccept(accept: string | undefined): QueryFormat {
  switch (accept) {
    case undefined:
    case '*/*':
    case 'application/json':
      return 'json';
    case 'application/vnd.apache.parquet':
      return 'parquet';
    case 'application/vnd.apache.arrow.stream': // ours
      return 'arrow';
    case 'text/csv':
      return 'csv';
    case 'text/plain':
      return 'pretty';
    default:
      // compat: `text/csv, */*` is JSON
      if (accept.includes('text/html') || accept.includes('*/*')) return 'json';
      throw invalidMimeType(accept);
  }
}
