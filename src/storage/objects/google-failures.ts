import { type BucketAnswer, clockAheadMs, firstLine } from './bucket-service.ts';
import type { ObjectErrorCode } from './object-store.ts';
import type { ServiceFailure } from './store-failures.ts';

const NO_BUCKET = 'the bucket does not exist: create it, or choose another one';
const REFUSED = 'the service does not accept the credentials: check --google-service-account, and that the key was not deleted';

/** What to do about failures that people can mend, by the service's reason of them. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  authError: REFUSED,
  required: REFUSED,
  forbidden: "the account may not do this: give it the role 'Storage Object Admin' for the bucket",
  accountDisabled: 'the account of the bucket is disabled: look at its billing',
  userProjectAccountProblem: 'the account of the bucket has a problem: look at its billing',
  userProjectMissing: 'the bucket wants the requester to pay, which is not supported: use another one',
  retentionPolicyNotMet: 'the bucket has a retention policy: use one in which objects can be overwritten and deleted',
  objectUnderActiveHold: 'the object is under a hold: release it',
};

/** Reasons of status 403 that pass. */
const PASSING: ReadonlySet<string> = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded']);

/** How far the clock may be wrong before tokens are refused, ms. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** What an answer of Google Cloud Storage is to a store. */
export function googleFailure(answer: BucketAnswer, nowMs: number): ServiceFailure {
  const { status } = answer;
  const { message, reason } = googleError(answer);
  if (status === 404 && /bucket does not exist/i.test(message)) return { name: reason, status, code: 'DENIED', wayOut: NO_BUCKET };
  const refused = status === 401 || (status === 403 && !PASSING.has(reason));
  if (refused && Math.abs(clockAheadMs(answer, nowMs)) > CLOCK_TOLERANCE_MS) {
    return { name: reason, status, code: 'UNAVAILABLE', wayOut: 'the clock of this machine is wrong: set it' };
  }
  return { name: reason, status, code: codeOf(status, refused), wayOut: refused ? WAYS_OUT[reason] : undefined };
}

/** Reason and message of an answer; downloads fail with a plain text. */
export function googleError({ body, status }: BucketAnswer): { readonly reason: string; readonly message: string } {
  const text = Buffer.from(body).toString('utf8');
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown; errors?: readonly { reason?: unknown }[] } };
    return { reason: String(error?.errors?.[0]?.reason ?? 'unknown'), message: firstLine(String(error?.message ?? `status ${status}`)) };
  } catch {
    return { reason: 'unknown', message: text.trim() === '' ? `status ${status}` : firstLine(text) };
  }
}

function codeOf(status: number, refused: boolean): ObjectErrorCode {
  if (refused) return 'DENIED';
  if (status === 404) return 'NOT_FOUND';
  return status === 412 ? 'EXISTS' : 'UNAVAILABLE';
}
