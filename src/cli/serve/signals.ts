import type { Writable } from 'node:stream';
import type { RunningServer } from '../../app/contract.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';

export interface SignalWatch {
  /** The server that a signal stops; a signal that came before stops it at once. */
  attach(server: RunningServer): void;
  dispose(): void;
}

interface SignalDeps {
  readonly logger: Logger;
  readonly stderr: Writable;
  /** The process; tests bring their own. */
  readonly process?: Pick<NodeJS.Process, 'on' | 'off' | 'exit'>;
  /** Milliseconds that never go back. */
  readonly monotonicMs?: () => number;
}

/** One Ctrl-C can arrive several times, from the terminal and from npm: signals of this time count as one. */
const ONE_WISH_MS = 1000;

const signals = ['SIGINT', 'SIGTERM'] as const;
const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGTERM: 15 };

/** First signal: clean stop. A second one, a second or more later: out at once with 128 + number; recovery is then the WAL's job. */
export function stopOnSignals(deps: SignalDeps): SignalWatch {
  const host = deps.process ?? process;
  let server: RunningServer | undefined;
  const monotonicMs = deps.monotonicMs ?? (() => systemClock.monotonicMs());
  let firstAtMs: number | undefined;
  const stop = (): void => {
    server?.stop().catch((error: unknown) => deps.logger.error('stop failed', { error }));
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAtMs === undefined) {
      firstAtMs = monotonicMs();
      deps.logger.info(`Received ${signal}`);
      deps.logger.info('shutdown requested');
      stop();
      return;
    }
    if (monotonicMs() - firstAtMs < ONE_WISH_MS) return;
    deps.stderr.write(`Second signal (${signal}): ending at once; acknowledged writes are recovered at the next start\n`);
    host.exit(128 + (signalNumbers[signal] ?? 0));
  };
  for (const signal of signals) host.on(signal, onSignal);
  return {
    attach(running) {
      server = running;
      if (firstAtMs !== undefined) stop();
    },
    dispose() {
      for (const signal of signals) host.off(signal, onSignal);
    },
  };
}
