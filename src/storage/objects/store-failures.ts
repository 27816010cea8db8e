import { errorText, systemErrorCode } from '../errors.ts';
import { type ObjectErrorCode, ObjectStoreError } from './object-store.ts';

/** What an operation of a bucket was about, for the text of its failure. */
export interface BucketOperation {
  /** Such as `PUT`. */
  readonly method: string;
  /** What the service calls a bucket; `bucket` by default. */
  readonly place?: string;
  readonly bucket: string;
  /** Undefined = the bucket as a whole. */
  readonly key: string | undefined;
}

/** What a failure of a service is to a store. */
export interface ServiceFailure {
  /** How the service names it, such as `AccessDenied`. */
  readonly name: string;
  /** HTTP status; undefined = there was no answer. */
  readonly status: number | undefined;
  readonly code: ObjectErrorCode;
  /** What people can do about it; undefined = the message of the cause says more. */
  readonly wayOut: string | undefined;
}

/** Codes of Node.js for certificates that cannot be trusted. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** A failure of a service as one of the store, whose message names the operation, the bucket, and the way out where there is one. */
export function bucketFailure(operation: BucketOperation, failure: ServiceFailure, cause: unknown): ObjectStoreError {
  const { bucket, key, method, place = 'bucket' } = operation;
  const what = key === undefined ? `${method} of ${place} '${bucket}'` : `${method} of '${key}' in ${place} '${bucket}'`;
  const answer = failure.status === undefined ? '' : ` (${failure.name}, status ${failure.status})`;
  const reason = failure.wayOut ?? reasonOf(cause);
  return new ObjectStoreError(failure.code, `${what} failed${answer}: ${reason}`, cause);
}

/** A request that got no answer. */
export function networkFailure(cause: unknown): ServiceFailure {
  const code = systemErrorCode(cause) ?? '';
  const untrusted = `the certificate of the service is not trusted (${code}): give the root that signed it with --object-store-tls-ca`;
  return { name: '', status: undefined, code: 'UNAVAILABLE', wayOut: CERTIFICATE_CODES.has(code) ? untrusted : undefined };
}

/** Some errors of sockets have a code and no message. */
function reasonOf(cause: unknown): string {
  const text = errorText(cause);
  return text === '' ? (systemErrorCode(cause) ?? 'no answer') : text;
}
