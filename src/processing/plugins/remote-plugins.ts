import { request } from 'undici';

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 16 * 1024 * 1024;

/** Text of a file of the repository. Throws with the reason that clients see behind `Plugin error: `. */
export async function fetchPlugin(repo: string, path: string): Promise<string> {
  const url = `${repo}${repo.endsWith('/') ? '' : '/'}${path}`;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await request(url, { signal }).catch((error: unknown) => {
    throw new Error('error getting plugin from repository', { cause: error });
  });
  const { body, statusCode, statusText } = response;
  body.on('error', () => undefined); // a body that is given up emits one; a failing read rejects
  if (statusCode < 200 || statusCode > 299) {
    body.destroy();
    throw new Error(`error fetching plugin from repository: ${statusCode}${statusText === '' ? '' : ` ${statusText}`} ${url}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BYTES_MAX) {
      body.destroy();
      throw new Error(`error fetching plugin from repository: more than ${BYTES_MAX} bytes ${url}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
