import { errorText } from '../errors.ts';
import { type ObjectErrorCode, ObjectStoreError } from './object-store.ts';

/** What an operation of a bucket was about, for the text of its failure. */
export interface BucketOperation {
  /** Such as `PUT`. */
  readonly method: string;
  readonly bucket: string;
  /** Undefined = the bucket as a whole. */
  readonly key: string | undefined;
}

/** How a service names a failure. */
export interface ServiceFailure {
  /** Such as `AccessDenied`. */
  readonly name: string;
  /** HTTP status; undefined = there was no answer. */
  readonly status: number | undefined;
}

/** What to do about failures that people can mend, by the service's name of them. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  NoSuchBucket: 'the bucket does not exist: create it, or choose another --bucket',
  InvalidAccessKeyId: 'the access key is not known to the service: check --aws-access-key-id',
  SignatureDoesNotMatch: 'the secret does not fit the access key: check --aws-secret-access-key and --aws-default-region',
  AccessDenied: 'the credentials may not do this: allow reading, writing, listing and deleting objects of the bucket',
  ExpiredToken: 'the credentials have expired: provide new ones',
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
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
]);

/** A failure of a service as one of the store, whose message names the operation, the bucket, and the way out where there is one. */
export function bucketFailure(operation: BucketOperation, failure: ServiceFailure, cause: unknown): ObjectStoreError {
  const { bucket, key, method } = operation;
  const what = key === undefined ? `${method} of bucket '${bucket}'` : `${method} of '${key}' in bucket '${bucket}'`;
  const answer = failure.status === undefined ? '' : ` (${failure.name}, status ${failure.status})`;
  const wayOut = WAYS_OUT[failure.name];
  const reason = wayOut ?? errorText(cause);
  return new ObjectStoreError(codeOf(failure), `${what} failed${answer}: ${reason}`, cause);
}

function codeOf({ name, status }: ServiceFailure): ObjectErrorCode {
  if (DENIALS.has(name)) return 'DENIED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 412) return 'EXISTS';
  if ((status === 401 || status === 403) && name !== 'RequestTimeTooSkewed') return 'DENIED';
  return 'UNAVAILABLE'; // 409 of a conditional put is one: another put of the key is under way
}
