import type { Clock } from '../../shared/clock.ts';
import { errorText } from '../errors.ts';
import { firstLine, NoCredentials } from './bucket-service.ts';

/** A token and the time after which another one is asked for, unix ms. */
export interface BearerToken {
  readonly token: string;
  readonly untilMs: number;
}

/** One token for all requests, asked for when the last one is over. */
export class BearerTokens {
  readonly #next: () => Promise<BearerToken>;
  readonly #clock: Clock;
  readonly #wayOut: string;
  readonly #refused: () => void;
  #known: BearerToken | undefined;
  #asking: Promise<BearerToken> | undefined;

  /**
   * @param wayOut what to do when there is no token
   * @param refused called when the service did not accept the last token, or none came in time
   */
  constructor(next: () => Promise<BearerToken>, clock: Clock, wayOut: string, refused: () => void = () => undefined) {
    this.#next = next;
    this.#clock = clock;
    this.#wayOut = wayOut;
    this.#refused = refused;
  }

  /** The header. Rejects with `NoCredentials`. */
  async authorization(): Promise<string> {
    if (this.#known === undefined || this.#clock.nowMs() >= this.#known.untilMs) {
      this.#asking ??= this.#next();
      const asking = this.#asking;
      try {
        this.#known = await asking;
      } catch (error) {
        throw new NoCredentials(`${this.#wayOut} (${firstLine(errorText(error))})`, { cause: error });
      } finally {
        if (this.#asking === asking) this.#asking = undefined;
      }
    }
    return `Bearer ${this.#known.token}`;
  }

  /** The service refused the token, or none came in time: the next request asks for another one. */
  forget(): void {
    this.#known = undefined;
    this.#asking = undefined;
    this.#refused();
  }
}
