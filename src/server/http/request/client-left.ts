import type { FastifyReply, FastifyRequest } from 'fastify';

/** Aborts when the client leaves before its answer is complete, also when it has left already. */
export function clientLeft(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) left.abort();
  });
  if (request.raw.destroyed && reply.raw.destroyed) left.abort();
  return left.signal;
}
