const secretName = /token(?!s?_(?:id|count|name))|secret|password|authorization|credential/i;
const tokenText = /apiv3_[A-Za-z0-9_-]+/g;
const bearerText = /\b(Bearer|Token|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
const hidden = '*******';

/** Fields as they may be written: secret names lose their value, token-like texts are cut out, errors become their message. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) safe[name] = secretName.test(name) && typeof value === 'string' ? hidden : plain(value);
  }
  return safe;
}

/** A text without anything that looks like a credential. */
function redactText(text: string): string {
  return text.replace(tokenText, `apiv3_${hidden}`).replace(bearerText, `$1 ${hidden}`);
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Error) return redactText(value.message);
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
    ? redactFields(value as Record<string, unknown>)
    : value;
}
