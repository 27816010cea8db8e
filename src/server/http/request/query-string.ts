import type { InfluxError } from '../../../shared/errors.ts';

/** How one parameter of a query string or form is read. Names that no rule mentions are ignored. */
export interface ParamRule {
  readonly kind: 'string' | 'boolean' | 'variant';
  readonly required?: boolean;
  /** Accepted words of a `variant`, in the order in which a refusal lists them. */
  readonly variants?: readonly string[];
  /** Words of a `variant` that are accepted, but that a refusal does not list. */
  readonly also?: readonly string[];
  /** An empty value of a `variant` stands for none. */
  readonly emptyIsAbsent?: boolean;
}

export type ParamRules = Readonly<Record<string, ParamRule>>;

/** Request target split at the first `?`. `query` is undefined when there is none. */
export interface RawTarget {
  readonly path: string;
  readonly query: string | undefined;
}

/** Splits a request target without decoding it; accepts the absolute form too. */
export function splitTarget(url: string): RawTarget {
  const target = url.startsWith('/') || url === '*' ? url : url.replace(/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]*/, '') || '/';
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: undefined } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Form-urlencoded pairs in order: `+` is a space, `%XX` a byte, bad UTF-8 becomes U+FFFD. */
export function formPairs(raw: string): [string, string][] {
  // The node parser hands bytes over as latin1 characters; the leading `&` keeps a first `?` from being dropped.
  const text = /[^\0-\x7f]/.test(raw) ? Buffer.from(raw, 'latin1').toString('utf8') : raw;
  return [...new URLSearchParams(`&${text}`)];
}

/**
 * Reads the parameters that `rules` names. Failures carry the detail text of InfluxDB 3 Core's decoder and are framed by `fail`:
 * value errors in the order of the query string, then the first missing one in the order of the rules.
 */
export function decodeParams(raw: string, rules: ParamRules, fail: (detail: string) => InfluxError): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of formPairs(raw)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) continue;
    if (values.has(name)) throw fail(`duplicate field \`${name}\``);
    checkValue(rule, value, fail);
    values.set(name, value);
  }
  for (const [name, rule] of Object.entries(rules)) {
    if (rule.required === true && !values.has(name)) throw fail(missingField(name));
  }
  return values;
}

/** Text about a parameter that must be there, as serde words it. */
export function missingField(name: string): string {
  return `missing field \`${name}\``;
}

/** Text about a parameter with none of its values, as serde words it. */
export function unknownVariant(value: string, variants: readonly string[]): string {
  return `unknown variant \`${value}\`, expected one of ${variants.map((name) => `\`${name}\``).join(', ')}`;
}

function checkValue(rule: ParamRule, value: string, fail: (detail: string) => InfluxError): void {
  if (rule.kind === 'boolean' && value !== 'true' && value !== 'false') {
    throw fail('provided string was not `true` or `false`');
  }
  if (rule.emptyIsAbsent === true && value === '') return;
  if (rule.kind === 'variant' && rule.variants?.includes(value) !== true && rule.also?.includes(value) !== true)
    throw fail(unknownVariant(value, rule.variants ?? []));
}
