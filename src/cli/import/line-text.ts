import { CommandFailure } from '../client/failure.ts';

/** A value of a field, with its type as line protocol writes it. */
export type FieldValue =
  | { readonly type: 'float' | 'integer' | 'unsigned'; readonly text: string }
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'boolean'; readonly value: boolean };

export interface RowParts {
  readonly measurement: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly fields: readonly (readonly [key: string, value: FieldValue])[];
  /** Digits in the unit of the request; undefined = the time of the write. */
  readonly time: string | undefined;
}

/** One line of line protocol without its end; undefined for a row without fields. Empty tag values are left out: a tag that is empty is none. */
export function lineOf({ fields, measurement, tags, time }: RowParts): string | undefined {
  if (fields.length === 0) return undefined;
  const tagText = tags
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `,${escapedKey(key)}=${escapedKey(value)}`)
    .join('');
  const fieldText = fields.map(([key, value]) => `${escapedKey(key)}=${fieldValue(value)}`).join(',');
  return `${escaped(measurement, /[, ]/g)}${tagText} ${fieldText}${time === undefined ? '' : ` ${time}`}`;
}

function fieldValue(value: FieldValue): string {
  switch (value.type) {
    case 'float':
      return value.text;
    case 'integer':
      return `${value.text}i`;
    case 'unsigned':
      return `${value.text}u`;
    case 'string':
      return `"${value.text.replace(/["\\]/g, '\\$&')}"`;
    case 'boolean':
      return value.value ? 'true' : 'false';
  }
}

function escapedKey(text: string): string {
  return escaped(text, /[,= ]/g);
}

/** A line end cannot be written in a name or a tag. */
function escaped(text: string, special: RegExp): string {
  if (/[\r\n]/.test(text))
    throw new CommandFailure(`a name or tag has a line end in it, which line protocol cannot write: ${JSON.stringify(text)}`);
  return text.replace(special, '\\$&').replace(/\\$/, '\\\\');
}
