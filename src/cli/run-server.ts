import type { ServeConfig } from '../config/index.ts';
import type { Logger } from '../shared/logger.ts';
import type { StartupError } from '../shared/startup-error.ts';
import type { StartupInfo } from './startup-text.ts';

/** A server that answers. */
export interface RunningServer {
  readonly url: string;
  /** Flushes and ends everything; idempotent, bounded in time. */
  stop(): Promise<void>;
  /** Settles when the server has ended, whoever ended it; rejects when it ended by itself because of a fault. */
  readonly closed: Promise<void>;
  /** Resolves when the server cannot do its work any more, though it still answers; stays pending otherwise. */
  readonly failed: Promise<StartupError>;
}

export interface ServerHooks {
  readonly logger: Logger;
  /** Called once, after the address is bound and requests are answered. */
  onReady(info: StartupInfo): void;
}

/** What `src/app` offers. Throws `StartupError`. */
export type RunServer = (config: ServeConfig, hooks: ServerHooks) => Promise<RunningServer>;
