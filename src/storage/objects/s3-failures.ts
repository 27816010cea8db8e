import type { ObjectErrorCode } from './object-store.ts';
import { networkFailure, type ServiceFailure } from './store-failures.ts';

/** What to do about failures that people can mend, by the service's name of them. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  NoSuchBucket: 'the bucket does not exist: create it, or choose another one',
  InvalidAccessKeyId: 'the access key is not known to the service: check --aws-access-key-id',
  SignatureDoesNotMatch: 'the secret does not fit the access key: check --aws-secret-access-key and --aws-default-region',
  AccessDenied: 'the credentials may not do this: allow reading, writing, listing and deleting objects of the bucket',
  ExpiredToken: 'the credentials have expired: provide new ones',
  InvalidToken: 'the session token does not belong to the access key: check --aws-session-token',
  RequestTimeTooSkewed: 'the clock of this machine is wrong: set it',
  PermanentRedirect: 'the bucket is in another region: check --aws-default-region and --aws-endpoint',
  AuthorizationHeaderMalformed: 'the bucket is in another region: check --aws-default-region',
  CredentialsProviderError:
    'no credentials were found: set --aws-access-key-id and --aws-secret-access-key, or one of the ways that the AWS SDK knows',
};

/** Names of failures that credentials, rights or settings cause. */
const DENIALS: ReadonlySet<string> = new Set([
  'NoSuchBucket',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AccessDenied',
  'ExpiredToken',
  'InvalidToken',
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
]);

/** What an error of the AWS SDK is to a store. */
export function s3Failure(error: unknown): ServiceFailure {
  const name = error instanceof Error ? error.name : '';
  const status = s3Status(error);
  const wayOut = WAYS_OUT[name] ?? (status === undefined ? networkFailure(error).wayOut : undefined);
  return { name, status, code: codeOf(name, status), wayOut };
}

/** HTTP status of an error of the AWS SDK; undefined = there was no answer. */
export function s3Status(error: unknown): number | undefined {
  const metadata = (error as { readonly $metadata?: { readonly httpStatusCode?: unknown } } | undefined)?.$metadata;
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

function codeOf(name: string, status: number | undefined): ObjectErrorCode {
  if (DENIALS.has(name)) return 'DENIED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 412) return 'EXISTS';
  if ((status === 401 || status === 403) && name !== 'RequestTimeTooSkewed') return 'DENIED';
  return 'UNAVAILABLE'; // 409 of a conditional put is one: another put of the key is under way
}
