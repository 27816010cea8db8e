import type { FastifyRequest } from 'fastify';
import { jsonContentTypeRequired } from '../response/errors.ts';
import { readBody } from './body.ts';
import { JsonObjectReader } from './json-body.ts';
import { requireUtf8 } from './utf8.ts';

/** `application/json` with any parameters, or `application/<anything>+json`. */
const jsonType = /^application\/(?:json|[^;\s]+\+json)$/i;

/** True when the request says that its body is JSON. */
function hasJsonContentType(request: FastifyRequest): boolean {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  return jsonType.test(type.trim());
}

/** Reads the JSON object of a configure endpoint: 415 without a JSON content-type, 400 when it does not decode. */
export async function readJsonObject(
  request: FastifyRequest,
  maxBodyBytes: number,
  what: string,
  known: readonly string[],
): Promise<JsonObjectReader> {
  if (!hasJsonContentType(request)) throw jsonContentTypeRequired();
  const body = await readBody(request.raw, maxBodyBytes);
  requireUtf8(body);
  return JsonObjectReader.parse(body.toString('utf8'), what, known);
}
