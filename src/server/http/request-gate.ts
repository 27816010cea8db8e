import type { FastifyInstance } from 'fastify';
import type { RequestAuthenticator } from '../../auth/index.ts';
import { sendAuthError, sendText } from './error-response.ts';
import { splitTarget } from './query-string.ts';

/** The page that people open in a browser. */
const PAGE_PATH = '/telemetry';

const TOKEN_PATH = '/api/v3/configure/token';

/** Steps 1 to 3 of the routing order (http-api.md 2): headers of every answer, OPTIONS, closed token paths, authentication. */
export function registerGate(app: FastifyInstance, authenticator: RequestAuthenticator, clusterUuid: string): void {
  app.addHook('onRequest', (request, reply, done) => {
    // The reference leaves it out of most errors, which hides them from browsers.
    reply.header('cluster-uuid', clusterUuid).header('access-control-allow-origin', '*');
    if (request.method === 'OPTIONS') {
      reply
        .code(204)
        .header('access-control-allow-methods', '*')
        .header('access-control-allow-headers', '*')
        .header('access-control-max-age', '86400')
        .send();
      return;
    }
    const { path, query } = splitTarget(request.originalUrl);
    if (!authenticator.enabled && path.startsWith(TOKEN_PATH)) {
      sendText(reply.code(405), 'endpoint disabled, started without auth');
      return;
    }
    const { authorization } = request.headers;
    const verdict = authenticator.verify({ path, query, authorization, remoteAddress: request.raw.socket?.remoteAddress ?? '' });
    // Neither logs nor handlers get to see it.
    delete request.raw.headers.authorization;
    if (verdict.allowed) {
      done();
      return;
    }
    // A browser can only send a token after it was asked for one: any user name, the token as password.
    if (path === PAGE_PATH && verdict.status === 401) reply.header('www-authenticate', 'Basic realm="influxdb3"');
    sendAuthError(reply, verdict.status, verdict.message);
  });
}
