import type { Log } from '../../shared/logger.ts';
import { errorText } from '../../storage/index.ts';
import type { WalPeriod } from './period.ts';
import type { WalWriter } from './wal-writer.ts';

/** What follows when a log file has got its last record: the file is closed, and listeners hear of it. */
export class ClosedPeriods {
  readonly #log: Log;
  readonly #listeners = new Set<(period: WalPeriod) => void>();
  readonly #closing = new Set<Promise<void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Returns the function that ends it. */
  listen(listener: (period: WalPeriod) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Closes a file in the background. */
  close(file: WalWriter): void {
    const closing: Promise<void> = file
      .close()
      .catch((error: unknown) => this.#log.warn('WAL file could not be closed', { error: errorText(error) }))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Resolves when every file that is being closed is. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing);
  }

  announce(period: WalPeriod): void {
    for (const listener of this.#listeners) {
      try {
        listener(period);
      } catch (error) {
        this.#log.error('WAL period listener failed', { error: errorText(error) });
      }
    }
  }
}
