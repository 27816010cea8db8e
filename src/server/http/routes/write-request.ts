import type { Access } from '../../../auth/index.ts';
import type { PolicyDatabase } from '../../../catalog/index.ts';
import { InfluxError } from '../../../shared/errors.ts';
import type { LineError, Precision } from '../../../write/line-protocol/types.ts';
import type { WriteOutcome, WriteRequest } from '../../../write/write-service.ts';
import type { GuardedWrites } from '../../guarded-services.ts';
import { withBody } from '../request/body.ts';
import type { BodyMemory } from '../request/body-memory.ts';
import { splitTarget } from '../request/query-string.ts';
import { requireUtf8 } from '../request/utf8.ts';
import type { WriteHttpRequest } from '../request/write-endpoint.ts';
import type { PartialWrite } from './partial-write.ts';

/** What the three write endpoints share. */
export interface WriteEndpointDependencies {
  readonly writes: GuardedWrites;
  readonly policyDatabase: PolicyDatabase;
  readonly maxBodyBytes: number;
  readonly bodyMemory: BodyMemory;
}

/** Precision words of v1 and v2, in the order in which a refusal lists them. */
export const LEGACY_PRECISIONS = ['s', 'second', 'millisecond', 'ms', 'microsecond', 'u', 'us', 'n', 'nanosecond', 'ns'] as const;

/** Same for v3. */
export const V3_PRECISIONS = ['auto', ...LEGACY_PRECISIONS] as const;

/** Words that InfluxDB 1 takes too. */
export const COARSE_PRECISIONS = ['m', 'h'] as const;

const precisions: ReadonlyMap<string, Precision> = new Map<string, Precision>([
  ['auto', 'auto'],
  ['h', 'hour'],
  ['m', 'minute'],
  ['s', 'second'],
  ['second', 'second'],
  ['ms', 'millisecond'],
  ['millisecond', 'millisecond'],
  ['u', 'microsecond'],
  ['us', 'microsecond'],
  ['microsecond', 'microsecond'],
  ['n', 'nanosecond'],
  ['ns', 'nanosecond'],
  ['nanosecond', 'nanosecond'],
]);

/** The unit that a checked precision word means. */
export function precisionOf(word: string | undefined, otherwise: Precision): Precision {
  return word === undefined ? otherwise : (precisions.get(word) ?? otherwise);
}

/** What the query string of a write says. */
export type WriteTarget = Omit<WriteRequest, 'body'>;

/** Same for v1 and v2: the default of a database may change, so which database it means is asked for every write. */
export type LegacyTarget = WriteTarget & { readonly policy: string | undefined };

/** Query strings remembered per endpoint, and the longest that is. */
const TARGETS_MAX = 256;
const TARGET_CHARS_MAX = 512;

/** A query string with the parameter `p` may hold a token, which is kept nowhere. */
const MAY_HOLD_TOKEN = /(?:^|&)p(?:[=&]|$)|%/;

/**
 * Decodes query strings of writes. Clients send the same one with every write: good ones are remembered.
 *
 * Shared by: all writes of an endpoint. Safe because targets are read only and hold nothing of a request but its query string.
 */
export class TargetCache<Target extends WriteTarget> {
  readonly #decode: (query: string) => Target;
  readonly #missing: () => Error;
  readonly #known = new Map<string, Target>();

  /** @param missing the refusal of a request without a query string */
  constructor(decode: (query: string) => Target, missing: () => Error) {
    this.#decode = decode;
    this.#missing = missing;
  }

  /** Throws what `decode` throws, or `missing` makes. */
  readonly of = (originalUrl: string): Target => {
    const { query } = splitTarget(originalUrl);
    if (query === undefined) throw this.#missing();
    const known = this.#known.get(query);
    if (known !== undefined) return known;
    const target = this.#decode(query);
    if (query.length <= TARGET_CHARS_MAX && !MAY_HOLD_TOKEN.test(query)) {
      if (this.#known.size >= TARGETS_MAX) this.#known.clear();
      this.#known.set(query, target);
    }
    return target;
  };
}

/** What of a request leads to its body. */
type StoredRequest = Pick<WriteHttpRequest, 'access' | 'raw'>;

/** Throws when a write of a v1 or v2 client to this target would be refused. */
export function checkLegacyTarget(deps: WriteEndpointDependencies, access: Access, { database, policy }: LegacyTarget): void {
  deps.writes.check(access, deps.policyDatabase(database, policy));
}

/**
 * Reads and stores the body.
 * @param asFailure what a refusal by the store becomes
 */
export async function storeBody(
  deps: WriteEndpointDependencies,
  { access, raw }: StoredRequest,
  target: WriteTarget,
  asFailure: (error: unknown) => unknown = (error) => error,
): Promise<WriteOutcome> {
  const { database, precision, acceptPartial, noSync } = target;
  deps.writes.check(access, database);
  return withBody(raw, { maxBytes: deps.maxBodyBytes, memory: deps.bodyMemory }, async (body) => {
    requireUtf8(body);
    return deps.writes.write(access, { database, body, precision, acceptPartial, noSync }).catch((error: unknown) => {
      throw asFailure(error);
    });
  });
}

/**
 * Stores a body of a v1 or v2 client: good lines are kept, and a body without lines is nothing to do.
 * Resolves with the lines that were refused and how many were not.
 */
export async function storeLegacyBody(
  deps: WriteEndpointDependencies,
  request: StoredRequest,
  { policy, ...target }: LegacyTarget,
  asFailure?: (error: unknown) => unknown,
): Promise<PartialWrite> {
  const database = deps.policyDatabase(target.database, policy);
  try {
    return await storeBody(deps, request, { ...target, database }, (error) =>
      isEmptyWrite(error) || asFailure === undefined ? error : asFailure(error),
    );
  } catch (error) {
    if (isEmptyWrite(error)) return { acceptedLines: 0, lineErrors: [] };
    throw error;
  }
}

function isEmptyWrite(error: unknown): boolean {
  return error instanceof InfluxError && error.code === 'EMPTY_WRITE';
}

/** A refused line in its wire form. */
export function wireLineError(error: LineError): { error_message: string; line_number: number; original_line: string } {
  return { error_message: error.errorMessage, line_number: error.lineNumber, original_line: error.originalLine };
}
