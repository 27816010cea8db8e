import { readFile, stat } from 'node:fs/promises';
import { hashToken, TOKEN_PREFIX } from './token.ts';

/** An offline admin token. */
export interface TokenFile {
  readonly name: string;
  readonly token: string;
  readonly hash: string;
  readonly expiryMs: number | undefined;
  /** Set when others can read the file: the warning to log. */
  readonly warning: string | undefined;
}

/** The two calls that reading needs, so that tests own them. */
export interface TokenFileSystem {
  readFile(path: string): Promise<string>;
  mode(path: string): Promise<number>;
}

const nodeTokenFileSystem: TokenFileSystem = {
  readFile: (path) => readFile(path, 'utf8'),
  mode: async (path) => (await stat(path)).mode,
};

/** Reads and checks a token file. Throws `Error` with the message that stops the start. */
export async function readTokenFile(path: string, fs: TokenFileSystem = nodeTokenFileSystem): Promise<TokenFile> {
  let text: string;
  let mode: number;
  try {
    text = await fs.readFile(path);
    mode = await fs.mode(path);
  } catch (error) {
    throw new Error(`Failed to read admin token file '${path}': ${reason(error)}`, { cause: error });
  }
  const { token, name, expiryMs } = parseTokenFile(text);
  if (!token.startsWith(TOKEN_PREFIX)) throw new Error(`Invalid token format: must start with '${TOKEN_PREFIX}'`);
  return { name, token, hash: hashToken(token), expiryMs, warning: permissionWarning(mode) };
}

function parseTokenFile(text: string): { token: string; name: string; expiryMs: number | undefined } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words quote the text, and with it the token.
    throw unparsable('the content is not valid JSON');
  }
  if (typeof value !== 'object' || value === null) throw unparsable('expected an object');
  const { token, name, expiry_millis: expiry } = value as { token?: unknown; name?: unknown; expiry_millis?: unknown };
  if (typeof token !== 'string') throw unparsable('missing field `token`');
  if (typeof name !== 'string') throw unparsable('missing field `name`');
  if (expiry !== undefined && expiry !== null && !Number.isSafeInteger(expiry)) throw unparsable('`expiry_millis` is not an integer');
  return { token, name, expiryMs: typeof expiry === 'number' ? expiry : undefined };
}

function unparsable(detail: string): Error {
  return new Error(`Failed to parse admin token file as JSON: ${detail}`);
}

/** Windows has no such bits and reports them all set. */
function permissionWarning(mode: number): string | undefined {
  if ((mode & 0o077) === 0 || process.platform === 'win32') return undefined;
  return `Admin token file has insecure permissions: ${(mode & 0o777).toString(8)}. Consider using chmod 0600.`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
