import { isUtf8 } from 'node:buffer';
import { pathsWith } from '../shared/gate-paths.ts';
import { TOKEN_PREFIX } from './token.ts';

/** What a request offers as its token. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  /** The header is not one of the accepted forms. */
  | { readonly kind: 'malformed' }
  /** The header holds bytes that are no visible ASCII. */
  | { readonly kind: 'unreadable' };

const visibleAscii = /^[\x20-\x7e\t]*$/;
const standardBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const PARAMETER_PATHS = pathsWith('token-in-url');

/** Finds the token of a request: `p` on the v1 paths wins, else the `Authorization` header. */
export function readCredential(input: { path: string; query: string | undefined; authorization: string | undefined }): Credential {
  if (input.query !== undefined && PARAMETER_PATHS.includes(input.path)) {
    const parameter = new URLSearchParams(`&${input.query}`).get('p');
    if (parameter !== null) return { kind: 'token', token: parameter };
  }
  return input.authorization === undefined ? { kind: 'none' } : readAuthorization(input.authorization);
}

function readAuthorization(header: string): Credential {
  if (!visibleAscii.test(header)) return { kind: 'unreadable' };
  const parts = header.split(' ');
  const [scheme, value] = parts;
  if (parts.length === 1 && /^token$/i.test(header)) return { kind: 'none' }; // a client of InfluxDB 2 whose token is empty
  if (parts.length !== 2 || value === undefined) return { kind: 'malformed' };
  switch (scheme?.toLowerCase()) {
    case 'bearer':
      return { kind: 'token', token: value };
    case 'token':
      return { kind: 'token', token: withoutUser(value) };
    case 'basic':
      return readBasic(value);
    default:
      return { kind: 'malformed' };
  }
}

/** Clients of InfluxDB 2 that speak to InfluxDB 1.8 send `user:password` as their token. */
function withoutUser(value: string): string {
  const colon = value.startsWith(TOKEN_PREFIX) ? -1 : value.indexOf(':');
  return value.slice(colon + 1);
}

/** The token is what follows the only colon; the user name before it does not matter. */
function readBasic(value: string): Credential {
  if (!standardBase64.test(value)) return { kind: 'malformed' };
  const bytes = Buffer.from(value, 'base64');
  if (!isUtf8(bytes)) return { kind: 'malformed' };
  const parts = bytes.toString('utf8').split(':');
  const [, token] = parts;
  return parts.length === 2 && token !== undefined ? { kind: 'token', token } : { kind: 'malformed' };
}
