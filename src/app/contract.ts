import type { ServeConfig } from '../config/index.ts';
import type { Logger } from '../shared/logger.ts';
import type { StartupError } from '../shared/startup-error.ts';

/** What the server knows once it answers; the app hands it to `onReady`. */
export interface StartupInfo {
  /** `http://127.0.0.1:8181`, an address that this machine can open. */
  readonly url: string;
  /** Bound address as `ip:port`. */
  readonly address: string;
  /** Folder of the data, or undefined when nothing is kept. */
  readonly dataDir: string | undefined;
  readonly nodeId: string;
  readonly telemetry: { readonly state: 'on' | 'off'; readonly reason: string };
  readonly authEnabled: boolean;
  /** True when an admin token exists already. */
  readonly hasAdminToken: boolean;
  /** True when other machines may make the first token. */
  readonly remoteFirstToken: boolean;
  /** Ids of other nodes with data beside a node that is new; empty otherwise. */
  readonly otherNodes: readonly string[];
  readonly startupMs: number;
  /** The line of `--version`. */
  readonly product: string;
  /** What a person reads once, at the first start on a directory; empty at later ones. */
  readonly notice?: string;
}

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
  /** False: a server that nobody stops does not keep the process alive. Default: true. */
  readonly keepsAlive?: boolean;
  readonly logger: Logger;
  /** Called once, after the address is bound and requests are answered. */
  onReady(info: StartupInfo): void;
}

/** What `src/app` offers. Throws `StartupError`. */
export type RunServer = (config: ServeConfig, hooks: ServerHooks) => Promise<RunningServer>;
