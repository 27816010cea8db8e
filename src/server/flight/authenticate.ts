import { type Access, FULL_ACCESS, type RequestAuthenticator } from '../../auth/index.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import { FlightError } from './errors.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';

/** What the call may do. Throws UNAUTHENTICATED, or PERMISSION_DENIED for a token that has expired, when it may not pass. */
export function authenticate(call: GrpcCall, authenticator: RequestAuthenticator): Access {
  if (!authenticator.enabled) return FULL_ACCESS;
  const token = tokenOf(call.header('authorization'));
  const verdict = authenticator.verify({
    path: call.path,
    query: undefined,
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    remoteAddress: call.remoteAddress,
  });
  if (verdict.allowed) return verdict.access;
  if (verdict.expired === true) throw new FlightError(GRPC_STATUS.PERMISSION_DENIED, 'Permission denied');
  throw new FlightError(GRPC_STATUS.UNAUTHENTICATED, 'Unauthenticated');
}

/** The token of a header; undefined when there is none in it. The password of Basic is what follows the first colon. */
export function tokenOf(header: string | undefined): string | undefined {
  const match = /^(Bearer|Token|Basic) (\S+)$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, scheme, value] = match as unknown as [string, string, string];
  if (scheme !== 'Basic') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : pair.slice(colon + 1);
}
