import { randomBytes } from 'node:crypto';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';

/** Makes a token and writes it as a file that only its owner can read. Answers with the token. */
export async function makeTokenFile(path: string, options: { name: string | undefined; expiryNs: bigint | undefined }): Promise<string> {
  const token = `apiv3_${randomBytes(64).toString('base64url')}`;
  const expires = options.name !== undefined && options.expiryNs !== undefined;
  const content = {
    token,
    name: options.name ?? '_admin',
    ...(expires ? { expiry_millis: systemClock.nowMs() + Number((options.expiryNs ?? 0n) / 1_000_000n) } : undefined),
  };
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  try {
    await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true });
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return token;
}
