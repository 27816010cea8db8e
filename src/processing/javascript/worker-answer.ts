import { randomUUID } from 'node:crypto';
import type { WorkerResponse } from './messages.ts';
import { PluginResponse } from './plugin.ts';

/** A request plugin returned something that is no answer. */
export class UnsupportedAnswer extends Error {}

/** The HTTP answer that a returned value means. Throws `UnsupportedAnswer`. */
export async function toResponse(returned: unknown): Promise<WorkerResponse> {
  if (PluginResponse.isOne(returned)) {
    const { body, headers, status } = returned;
    if (!Number.isInteger(status) || status < 100 || status > 999) throw new UnsupportedAnswer(`invalid status code ${status}`);
    const part = bodyPart(body);
    const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const hasType = given.some(([name]) => name.toLowerCase() === 'content-type');
    return { status, headers: hasType ? given : [['content-type', part.type], ...given], body: part.bytes };
  }
  if (returned instanceof Response) {
    const body = new Uint8Array(await returned.arrayBuffer());
    return { status: returned.status, headers: [...returned.headers], body };
  }
  const { bytes, type } = bodyPart(returned);
  return { status: 200, headers: [['content-type', type]], body: bytes };
}

function bodyPart(body: unknown): { readonly bytes: Uint8Array; readonly type: string } {
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: 'text/html' };
  if (body instanceof Uint8Array) return { bytes: body, type: 'application/octet-stream' };
  if (typeof body === 'object' && body !== null) return { bytes: Buffer.from(json(body)), type: 'application/json' };
  throw new UnsupportedAnswer('Unsupported return type from JavaScript function');
}

/** Marks texts that are whole numbers; no text of a plugin has it. */
const MARK = randomUUID();
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/** Integers beyond 2^53 keep all their digits. */
function json(value: unknown): string {
  const replacer = (_key: string, item: unknown): unknown => (typeof item === 'bigint' ? `${MARK}${item}` : item);
  return JSON.stringify(value, replacer).replace(MARKED, '$1');
}
