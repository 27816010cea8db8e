import type { FastifyInstance, FastifyReply } from 'fastify';
import { InfluxError } from '../shared/errors.ts';
import { BACKUP_PATH } from './contract.ts';
import type { BackupSessions } from './sessions.ts';

/**
 * The endpoints that a backup is taken by: `POST` holds the present moment and lists its files, `GET …/<id>?path=` sends one,
 * `DELETE …/<id>` lets the moment go (docs/api.md, "Backups"). Authentication is the server's business.
 */
export function backupRoutes(sessions: BackupSessions): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.post(BACKUP_PATH, (_request, reply) =>
      answered(reply, async () =>
        reply
          .code(201)
          .headers(JSON_HEADERS)
          .send(JSON.stringify(await sessions.begin())),
      ),
    );
    app.get<{ Params: { id: string } }>(`${BACKUP_PATH}/:id`, (request, reply) =>
      answered(reply, async () => {
        const path = new URL(request.originalUrl, 'http://localhost').searchParams.get('path') ?? '';
        const { body, sizeBytes } = sessions.read(request.params.id, path);
        return reply.headers({ 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) }).send(body);
      }),
    );
    app.delete<{ Params: { id: string } }>(`${BACKUP_PATH}/:id`, (request, reply) =>
      answered(reply, async () => {
        sessions.release(request.params.id);
        return reply.code(204).send();
      }),
    );
  };
}

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** Other failures are the business of the server. */
async function answered(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InfluxError) || error.shape !== 'json') throw error;
    return reply
      .code(error.status)
      .headers(JSON_HEADERS)
      .send(JSON.stringify({ error: error.message }));
  }
}
