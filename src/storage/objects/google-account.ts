import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../shared/clock.ts';
import { StartupError } from '../../shared/startup-error.ts';
import { errorText } from '../errors.ts';
import type { BearerToken } from './bearer-tokens.ts';

/** What a key file of a Google service account says. */
export interface GoogleAccount {
  /** Address of the service, for emulators; undefined = that of Google. */
  readonly baseUrl: string | undefined;
  /** Undefined = requests are not authorized, for emulators. */
  readonly key: { readonly email: string; readonly id: string | undefined; readonly privateKey: KeyObject } | undefined;
}

/**
 * Reads a key file: the JSON that Google gives, and for emulators `gcs_base_url` and `disable_oauth`, as InfluxDB 3 Core takes them.
 * Throws `StartupError`; the message never holds what is in the file.
 */
export async function readGoogleAccount(path: string): Promise<GoogleAccount> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw refused(`Unable to open service account file from ${path}: ${errorText(error)}`, error);
  }
  const fields = parsed(path, text);
  const { client_email: email, disable_oauth: open, gcs_base_url: url, private_key: pem, private_key_id: id } = fields;
  const baseUrl = typeof url === 'string' && url !== '' ? url : undefined;
  if (baseUrl !== undefined && !URL.canParse(baseUrl)) throw refused(`the gcs_base_url in '${path}' is no URL`);
  if (open === true) return { baseUrl, key: undefined };
  if (baseUrl !== undefined && new URL(baseUrl).protocol !== 'https:') {
    throw refused(`the gcs_base_url in '${path}' is not encrypted; use https, or add "disable_oauth": true for an emulator`);
  }
  if (typeof email !== 'string' || typeof pem !== 'string') throw refused(notAnAccount(path, fields['type']));
  return { baseUrl, key: { email, id: typeof id === 'string' ? id : undefined, privateKey: privateKeyOf(path, pem) } };
}

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';
const LIFETIME_SECS = 3600;
/** A token is renewed so long before its end. */
const RENEW_BEFORE_SECS = 300;

/** A token that the account signs itself; Google's services take it as it is. */
export function selfSignedToken({ email, id, privateKey }: NonNullable<GoogleAccount['key']>, clock: Clock): BearerToken {
  const issuedAt = Math.floor(clock.nowMs() / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(id === undefined ? {} : { kid: id }) };
  const claims = { iss: email, sub: email, scope: SCOPE, iat: issuedAt, exp: issuedAt + LIFETIME_SECS };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url');
  return { token: `${text}.${signature}`, untilMs: (issuedAt + LIFETIME_SECS - RENEW_BEFORE_SECS) * 1000 };
}

function parsed(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // what the parser says would quote the file
  }
  throw refused(`Unable to decode service account file: '${path}' is not a JSON object`);
}

function privateKeyOf(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw refused(`Unable to decode service account file: the private_key in '${path}' is no key in PEM form`);
  }
}

function notAnAccount(path: string, type: unknown): string {
  const other = typeof type === 'string' && type !== 'service_account';
  const wayOut = other ? '; for credentials of another type set GOOGLE_APPLICATION_CREDENTIALS instead of --google-service-account' : '';
  return `Unable to decode service account file: '${path}' lacks client_email or private_key${wayOut}`;
}

function refused(reason: string, cause?: unknown): StartupError {
  return new StartupError(`Cannot parse object store config: Error configuring GCS: Generic GCS error: ${reason}`, { cause });
}
