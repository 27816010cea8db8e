import type { FastifyInstance, RouteOptions } from 'fastify';
import { type Access, FULL_ACCESS, type RequestAuthenticator } from '../../../auth/index.ts';
import { pathsWith } from '../../../shared/gate-paths.ts';
import type { SystemResource } from '../../../shared/token-permissions.ts';
import { rightDenied } from '../../permission-errors.ts';
import { narrowed, type Right, rightOf } from '../../rights.ts';
import { splitTarget } from '../request/query-string.ts';
import { sendAuthError, sendError, sendText, sendV2Error } from '../response/error-response.ts';
import type { HttpReply } from '../response/http-reply.ts';

/** The paths of InfluxDB 1; these and pages. */
const OF_V1 = new Set(pathsWith('token-in-url'));
const ASKS_FOR_PASSWORD = new Set([...pathsWith('page'), ...OF_V1]);
const FIRST_TOKEN = pathsWith('first-token');
const CLOSED_WITHOUT_AUTH = pathsWith('closed-without-auth');

/** What proxies add to the requests of others. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request may do: no more than its route needs. */
    access: Access;
  }
}

/** Makes the page for people who come without a token. */
export type LoginPage = () => { readonly html: string; readonly headers: Readonly<Record<string, string>> };

/** What the gate looks at. */
export interface GateRequest {
  readonly method?: string | undefined;
  readonly headers: { authorization?: string | undefined };
  readonly socket?: { readonly remoteAddress?: string | undefined };
}

/** What every request passes before its route: headers of every answer, OPTIONS, closed token paths, authentication, the right that its route needs. */
export class RequestGate {
  readonly #authenticator: RequestAuthenticator;
  readonly #clusterUuid: string;
  readonly #version: string;
  readonly #loginPage: LoginPage | undefined;

  /** `loginPage` = what a browser without a token gets instead of the error. */
  constructor(authenticator: RequestAuthenticator, clusterUuid: string, version: string, loginPage?: LoginPage) {
    this.#loginPage = loginPage;
    this.#authenticator = authenticator;
    this.#clusterUuid = clusterUuid;
    this.#version = version;
  }

  /** Puts the gate before all routes of fastify, which have to be in the table of rights. */
  register(app: FastifyInstance): void {
    app.decorateRequest('access', null as unknown as Access); // the hook sets it before any handler runs
    app.addHook('onRoute', requireRight);
    app.addHook('onRequest', (request, reply, done) => {
      const { url } = request.routeOptions;
      // what no route serves gets its 404 whoever asks
      const right = url === undefined ? 'nothing' : (rightOf(request.method, url) ?? 'admin');
      const access = this.admit(request.raw, request.originalUrl, reply, right);
      if (access === undefined) return;
      request.access = access;
      done();
    });
  }

  /** What `admit` would let a request do now; undefined = nothing. Answers and notes nothing. */
  wouldAdmit(authorization: string | undefined, originalUrl: string, remoteAddress: string, right: Right): Access | undefined {
    const access = this.#authenticator.wouldAllow({ ...splitTarget(originalUrl), authorization, remoteAddress });
    return access === undefined || lacks(access, right) ? undefined : narrowed(access, right);
  }

  /** What the request may do; undefined: it was answered here. */
  admit(request: GateRequest, originalUrl: string, reply: HttpReply, right: Right): Access | undefined {
    // InfluxDB 3 Core leaves it out of most errors, which hides them from browsers.
    reply.header('cluster-uuid', this.#clusterUuid).header('access-control-allow-origin', '*');
    if (request.method === 'OPTIONS') {
      reply
        .code(204)
        .header('access-control-allow-methods', '*')
        .header('access-control-allow-headers', '*')
        .header('access-control-max-age', '86400')
        .send();
      return undefined;
    }
    const { path, query } = splitTarget(originalUrl);
    if (!this.#authenticator.enabled && CLOSED_WITHOUT_AUTH.some((closed) => path.startsWith(closed))) {
      sendText(reply.code(405), 'endpoint disabled, started without auth');
      return undefined;
    }
    const { authorization } = request.headers;
    const remoteAddress = request.socket?.remoteAddress ?? '';
    const forwarded = FIRST_TOKEN.includes(path) && isForwarded(request.headers);
    const verdict = this.#authenticator.verify({ path, query, authorization, remoteAddress, forwarded });
    // Neither logs nor handlers get to see it.
    if (authorization !== undefined) delete request.headers.authorization;
    if (verdict.allowed) {
      if (!lacks(verdict.access, right)) return narrowed(verdict.access, right);
      (path.startsWith(V2_PREFIX) ? sendV2Error : sendError)(reply, rightDenied(right));
      return undefined;
    }
    // A person in a browser gets the page that asks for a token, not JSON.
    const wantsPage = verdict.status === 401 && request.method === 'GET' && acceptsHtml(request.headers);
    if (wantsPage && this.#loginPage !== undefined) {
      const { headers, html } = this.#loginPage();
      for (const [name, value] of Object.entries(headers)) reply.header(name, value);
      reply.code(401).send(Buffer.from(html));
      return undefined;
    }
    // Old clients, and curl's library when it may choose the scheme, send a password only after they were asked: any user name, the
    // token as password. Not with the login page: a browser would put a dialog of its own before it.
    if (ASKS_FOR_PASSWORD.has(path) && verdict.status === 401) reply.header('www-authenticate', 'Basic realm="influxdb3"');
    // Clients of InfluxDB 1 tell by it what they talk to, before they have a token.
    if (OF_V1.has(path)) reply.header('x-influxdb-version', this.#version);
    sendAuthError(reply, verdict.status, verdict.message);
    return undefined;
  }
}

/** Where errors have the shape of InfluxDB 2. */
const V2_PREFIX = '/api/v2/';

/** True when an access is not enough for any request of a route. */
function lacks(access: Access, right: Right): boolean {
  if (access === FULL_ACCESS) return false;
  if (right.startsWith('system:')) return !access.maySee(right.slice('system:'.length) as SystemResource);
  return right === 'admin' && !access.isAdmin;
}

/** Nobody can forget to say what a new route needs. */
function requireRight({ method, url }: RouteOptions): void {
  for (const each of [method].flat()) {
    if (rightOf(each, url) === undefined) throw new Error(`internal error: src/server/rights.ts does not say what '${each} ${url}' needs`);
  }
}

/** Browsers ask for pages so; programs that take everything do not name HTML. */
function acceptsHtml(headers: Readonly<Record<string, unknown>>): boolean {
  const { accept } = headers;
  return typeof accept === 'string' && accept.includes('text/html');
}

/** Whether a proxy passed the request on. */
function isForwarded(headers: Readonly<Record<string, unknown>>): boolean {
  return PROXY_HEADERS.some((name) => headers[name] !== undefined);
}
