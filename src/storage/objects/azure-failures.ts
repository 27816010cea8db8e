import { type BucketAnswer, clockAheadMs } from './bucket-service.ts';
import type { ObjectErrorCode } from './object-store.ts';
import type { ServiceFailure } from './store-failures.ts';

/** What to do about failures that people can mend, by the service's name of them. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  ContainerNotFound: 'the container does not exist: create it, or choose another one',
  ContainerBeingDeleted: 'the container is being deleted: create it again, or choose another one',
  InvalidResourceName: 'this is no name of a container: check --bucket',
  AccountIsDisabled: 'the storage account is disabled: enable it, or choose another --azure-storage-account',
  AuthenticationFailed: 'the access key does not fit the account: check --azure-storage-account and --azure-storage-access-key',
  InvalidAuthenticationInfo: 'the service does not accept the credentials: check --azure-storage-account and --azure-storage-access-key',
  NoAuthenticationInformation: 'the service does not accept the credentials: check --azure-storage-account and --azure-storage-access-key',
  KeyBasedAuthenticationNotPermitted:
    'the account takes no access keys: leave out --azure-storage-access-key and give this machine an identity',
  AuthorizationFailure:
    'the credentials may not do this, or the account does not let this network in: check the access key or the role, and the network rules of the account',
  AuthorizationPermissionMismatch: "the identity may not do this: give it the role 'Storage Blob Data Contributor' for the container",
  InsufficientAccountPermissions: 'the credentials may not do this: allow reading, writing, listing and deleting blobs of the container',
  BlobImmutableDueToPolicy: 'the container has an immutability policy: use one in which blobs can be overwritten and deleted',
  FeatureVersionMismatch: 'the account does not know this version of the service: use a general-purpose v2 account',
};

/** How far the clock may be wrong before the service refuses signatures, ms. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;

const TAKEN: ReadonlySet<string> = new Set(['BlobAlreadyExists', 'ConditionNotMet', 'TargetConditionNotMet', 'UnauthorizedBlobOverwrite']);

/** What an answer of Azure's blob service is to a store. */
export function azureFailure(answer: BucketAnswer, nowMs: number): ServiceFailure {
  const { status } = answer;
  const name = errorName(answer);
  const refused = status === 401 || status === 403;
  if (refused && Math.abs(clockAheadMs(answer, nowMs)) > CLOCK_TOLERANCE_MS) {
    return { name, status, code: 'UNAVAILABLE', wayOut: 'the clock of this machine is wrong: set it' };
  }
  return { name, status, code: codeOf(name, status), wayOut: WAYS_OUT[name] };
}

/** Answers to HEAD have the name in a header only. */
function errorName({ body, headers }: BucketAnswer): string {
  const header = headers['x-ms-error-code'];
  if (typeof header === 'string') return header;
  return /<Code>(\w+)<\/Code>/.exec(Buffer.from(body).toString('utf8'))?.[1] ?? 'unknown';
}

function codeOf(name: string, status: number): ObjectErrorCode {
  if (TAKEN.has(name)) return 'EXISTS';
  if (WAYS_OUT[name] !== undefined || status === 401 || status === 403) return 'DENIED';
  return status === 404 ? 'NOT_FOUND' : 'UNAVAILABLE';
}
