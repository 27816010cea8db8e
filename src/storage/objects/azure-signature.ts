import { createHmac } from 'node:crypto';
import type { BucketRequest } from './bucket-service.ts';

/** Headers whose values are signed without their names, in Azure's order; `content-length` comes before `content-md5`. */
const SIGNED_HEADERS = ['content-encoding', 'content-language', 'content-length', 'content-md5', 'content-type', 'date'] as const;
const SIGNED_CONDITIONS = ['if-modified-since', 'if-match', 'if-none-match', 'if-unmodified-since', 'range'] as const;

/**
 * The `authorization` header of Azure's Shared Key. All `x-ms-` headers of the request must be in `headers`.
 *
 * @param key the access key, decoded
 */
export function sharedKeyAuthorization(
  account: string,
  key: Uint8Array,
  { headers = {}, method, path, query = {} }: BucketRequest,
  bodyBytes: number,
): string {
  const sized: Readonly<Record<string, string>> = { ...headers, 'content-length': bodyBytes === 0 ? '' : String(bodyBytes) };
  const own = Object.keys(headers).filter((name) => name.startsWith('x-ms-'));
  const lines = [
    method,
    ...[...SIGNED_HEADERS, ...SIGNED_CONDITIONS].map((name) => sized[name] ?? ''),
    ...own.sort().map((name) => `${name}:${headers[name]}`),
    `/${account}${path}`,
    ...Object.keys(query)
      .sort()
      .map((name) => `${name}:${query[name]}`),
  ];
  const signature = createHmac('sha256', key).update(lines.join('\n')).digest('base64');
  return `SharedKey ${account}:${signature}`;
}
