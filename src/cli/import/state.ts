import { createHash } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../shared/clock.ts';

/** How far an import got. */
export interface ImportMark {
  /** Where it goes on; what it means is known to the kind of source. */
  readonly position: unknown;
  readonly rowsStored: number;
  readonly badRows: number;
}

const SAVE_EVERY_MS = 1000;

/**
 * A file in the working directory that remembers how far an import got, until it is complete. An import of the same source with
 * the same options goes on there; what was sent behind the mark is sent again, which changes nothing.
 */
export class ImportState {
  readonly path: string;
  readonly #key: string;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #savedAtMs = Number.NEGATIVE_INFINITY;
  #saving: Promise<void> | undefined;

  /** `identity` = everything that must be the same for an import to go on. */
  constructor(directory: string, identity: unknown, clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    this.#clock = clock;
    this.#key = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
    this.path = join(directory, `.influxdb3-import-${this.#key.slice(0, 12)}.json`);
  }

  /** The mark of an earlier run that did not end; undefined = there is none that can be used. */
  async read(): Promise<ImportMark | undefined> {
    try {
      const { key, ...mark } = JSON.parse(await readFile(this.path, 'utf8')) as ImportMark & { key: string };
      return key === this.#key ? mark : undefined;
    } catch {
      return undefined;
    }
  }

  /** Remembers a mark, once a second at most, and one at a time: several requests may be answered while a slow disk writes. */
  async save(mark: ImportMark): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#saving !== undefined || nowMs - this.#savedAtMs < SAVE_EVERY_MS) return;
    this.#savedAtMs = nowMs;
    this.#saving = this.#write(mark).finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  async #write(mark: ImportMark): Promise<void> {
    const unfinished = `${this.path}.tmp`;
    await writeFile(unfinished, JSON.stringify({ key: this.#key, ...mark }));
    await rename(unfinished, this.path);
  }

  async remove(): Promise<void> {
    await this.#saving?.catch(() => undefined); // whoever saves is told
    await rm(this.path, { force: true });
  }
}
