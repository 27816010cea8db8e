import type { AnyOptionSpec } from './option-spec.ts';
import { givenOption, type OptionSources } from './resolve-options.ts';

const hidden = '*******';
const secretWords = ['password', 'secret', 'token', 'credential', 'auth', 'key'];
const secretNames = new Set(['google-service-account', 'tls-key', 'tls-cert', 'without-auth']);

/** What the user set, as the JSON object of strings that the node record keeps. */
export function recordCliParams(specs: Iterable<AnyOptionSpec>, sources: OptionSources): string {
  const record: Record<string, string> = {};
  for (const spec of specs) {
    const given = givenOption(spec, sources);
    if (given !== undefined) record[spec.flag] = isSecretName(spec.flag) ? hidden : given.text;
  }
  return JSON.stringify(record);
}

/** True for options whose value must not be recorded. */
function isSecretName(flag: string): boolean {
  const cloud = flag.startsWith('aws-') || flag.startsWith('azure-');
  return cloud || secretNames.has(flag) || secretWords.some((word) => flag.includes(word));
}
