import type { RetryPolicy } from './retries.ts';

/** How a service is reached. */
export interface ConnectionOptions extends RetryPolicy {
  /** Connections at once. */
  readonly connectionLimit: number;
  /** Of requests as a whole; uploads of files may take longer while bytes go through. */
  readonly requestTimeoutMs: number;
  readonly tlsAllowInsecure: boolean;
  /** PEM text of all roots to trust; undefined = those of Node.js. */
  readonly tlsRoots: readonly string[] | undefined;
}
