import type { Writable } from 'node:stream';
import type { RunningServer } from '../../app/contract.ts';
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
}

const signals = ['SIGINT', 'SIGTERM'] as const;
const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGTERM: 15 };

/** First signal: clean stop. Second signal: out at once with 128 + number; recovery is then the WAL's job. */
export function stopOnSignals(deps: SignalDeps): SignalWatch {
  const host = deps.process ?? process;
  let server: RunningServer | undefined;
  let received = 0;
  const stop = (): void => {
    server?.stop().catch((error: unknown) => deps.logger.error('stop failed', { error }));
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    received += 1;
    if (received === 1) {
      deps.logger.info(`Received ${signal}`);
      deps.logger.info('shutdown requested');
      stop();
      return;
    }
    deps.stderr.write(`Second signal (${signal}): ending at once; acknowledged writes are recovered at the next start\n`);
    host.exit(128 + (signalNumbers[signal] ?? 0));
  };
  for (const signal of signals) host.on(signal, onSignal);
  return {
    attach(running) {
      server = running;
      if (received > 0) stop();
    },
    dispose() {
      for (const signal of signals) host.off(signal, onSignal);
    },
  };
}
