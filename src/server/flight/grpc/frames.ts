import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { InfluxError } from '../../../shared/errors.ts';
import { GRPC_STATUS } from '../../../shared/grpc-status.ts';

/** Before each message: one byte that says whether it is compressed, then its length. */
export const HEAD_BYTES = 5;

/** A message of a client, bytes: what servers in other languages allow too. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

const unzip = promisify(gunzip);

/**
 * The messages in the body of a request. Reads no further than the message that is asked for; nothing is held beyond the
 * limit, whatever length a client announces. `encoding` is the header `grpc-encoding`.
 */
export async function* readMessages(
  body: AsyncIterable<Buffer>,
  encoding: string | undefined,
  bytesMax = MESSAGE_BYTES_MAX,
): AsyncGenerator<Buffer, void, void> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of body) {
    held.push(chunk);
    heldBytes += chunk.length;
    while (heldBytes >= HEAD_BYTES) {
      if ((held[0] as Buffer).length < HEAD_BYTES) held = [Buffer.concat(held)];
      const head = held[0] as Buffer;
      const size = head.readUInt32BE(1);
      if (size > bytesMax) throw tooLarge(size, bytesMax);
      if (heldBytes < HEAD_BYTES + size) break;
      const all = held.length === 1 ? head : Buffer.concat(held);
      const rest = all.subarray(HEAD_BYTES + size);
      held = rest.length === 0 ? [] : [rest];
      heldBytes = rest.length;
      yield await content(all[0] as number, all.subarray(HEAD_BYTES, HEAD_BYTES + size), encoding, bytesMax);
    }
  }
  if (heldBytes > 0) throw malformed('the last message is not complete');
}

async function content(flag: number, bytes: Buffer, encoding: string | undefined, bytesMax: number): Promise<Buffer> {
  if (flag === 0) return bytes;
  if (flag !== 1) throw malformed(`a message with the compression flag ${flag}`);
  if (encoding !== 'gzip') throw unsupportedEncoding(encoding ?? 'identity');
  try {
    return await unzip(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(undefined, bytesMax);
    throw malformed('a compressed message that cannot be read');
  }
}

/** The five bytes before a message. */
export function messageHead(size: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head[0] = 0;
  head.writeUInt32BE(size, 1);
  return head;
}

function tooLarge(size: number | undefined, bytesMax: number): InfluxError {
  const what = size === undefined ? 'a message is' : `a message of ${size} bytes is`;
  return new InfluxError({
    code: 'GRPC_MESSAGE_TOO_LARGE',
    message: `${what} larger than the ${bytesMax} bytes that are allowed`,
    status: 413,
  });
}

function malformed(text: string): InfluxError {
  return new InfluxError({ code: 'GRPC_MALFORMED', message: `malformed request: ${text}`, status: 400, grpc: GRPC_STATUS.INTERNAL });
}

function unsupportedEncoding(encoding: string): InfluxError {
  return new InfluxError({
    code: 'GRPC_ENCODING',
    message: `Content is compressed with \`${encoding}\` which isn't supported`,
    status: 501,
  });
}
