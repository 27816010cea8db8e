import { readFile } from 'node:fs/promises';
import type { Clock } from '../../shared/clock.ts';
import { StartupError } from '../../shared/startup-error.ts';
import { errorText } from '../errors.ts';

/** Keys as the AWS SDK takes them. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Without an `expiry` the file is read again after this time. */
const REREAD_MS = 3_600_000;

/**
 * Keys from a JSON file with `aws_access_key_id`, `aws_secret_access_key`, and if need be `aws_session_token` and `expiry` (unix
 * seconds). The file is read again when they expire, once an hour otherwise, and after `forget`.
 */
export class AwsCredentialsFile {
  readonly #path: string;
  readonly #clock: Clock;
  #known: { readonly keys: AwsKeys; readonly untilMs: number } | undefined;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Rejects with `StartupError` when the file cannot be read or understood; the message never holds what is in it. */
  async keys(): Promise<AwsKeys> {
    if (this.#known === undefined || this.#clock.nowMs() >= this.#known.untilMs) this.#known = await this.#read();
    return this.#known.keys;
  }

  /** The service refused the keys: the next request reads the file. */
  forget(): void {
    this.#known = undefined;
  }

  async #read(): Promise<{ readonly keys: AwsKeys; readonly untilMs: number }> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      throw refused(`Error reading AWS credentials from file: ${errorText(error)}`, error);
    }
    const found = parsed(text);
    const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token, expiry } = found;
    if (typeof id !== 'string' || typeof secret !== 'string') {
      throw refused(`Error deserializing AWS file credentials: '${this.#path}' lacks aws_access_key_id or aws_secret_access_key`);
    }
    const untilMs = typeof expiry === 'number' ? expiry * 1000 : this.#clock.nowMs() + REREAD_MS;
    const keys = { accessKeyId: id, secretAccessKey: secret, ...(typeof token === 'string' ? { sessionToken: token } : {}) };
    return { keys, untilMs };
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // what the parser says would quote the file
  }
  throw refused('Error deserializing AWS file credentials: the file is not a JSON object');
}

function refused(reason: string, cause?: unknown): StartupError {
  return new StartupError(`Cannot parse object store config: ${reason}`, { cause });
}
