import type { Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import { buildConnector, Client, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { isLoopback } from './endpoint.ts';

/**
 * The undici dispatcher of one attempt. Certificates are checked whatever the environment says, and the request has no
 * other headers than accept, host and content-length.
 */
export function createTelemetryDispatcher(target: URL, env: Readonly<Record<string, string | undefined>>, extraCa?: string): Dispatcher {
  const tls = { rejectUnauthorized: true, ...(extraCa === undefined ? {} : { ca: [...rootCertificates, extraCa] }) };
  return new EnvHttpProxyAgent({
    ...proxyOptions(target, env),
    connect: tls,
    requestTls: tls,
    proxyTls: tls,
    pipelining: 1,
    factory: (origin: URL, options: Client.Options) =>
      new Client(origin, { ...options, connect: withoutConnectionHeader(options.connect) }),
  } as EnvHttpProxyAgent.Options);
}

function withoutConnectionHeader(connect: Client.Options['connect']): buildConnector.connector {
  const open = typeof connect === 'function' ? connect : buildConnector({ ...connect });
  return (options, callback) =>
    open(options, (...result: Parameters<buildConnector.Callback>) => {
      const [error, socket] = result;
      if (error !== null || socket === null) callback(...result);
      else callback(null, dropConnectionHeader(socket));
    });
}

/** compat: undici always writes a `connection` header, InfluxDB 3 Core sends none. */
function dropConnectionHeader<S extends Socket>(socket: S): S {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  const filtered = (chunk: unknown, ...rest: unknown[]): boolean =>
    write(typeof chunk === 'string' && chunk.startsWith('POST ') ? chunk.replace(/\r\nconnection: [^\r]*/, '') : chunk, ...rest);
  socket.write = filtered as S['write'];
  return socket;
}

/** Proxies for this target. Plain http may only pass a proxy on this machine: figures never cross a network unencrypted. */
export function proxyOptions(
  target: URL,
  env: Readonly<Record<string, string | undefined>>,
): { httpProxy: string; httpsProxy: string; noProxy: string } {
  const httpProxy = env['http_proxy'] ?? env['HTTP_PROXY'] ?? '';
  const httpsProxy = env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '';
  const noProxy = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  const isLocalProxy = URL.canParse(httpProxy) && isLoopback(new URL(httpProxy).hostname);
  return { httpProxy: target.protocol === 'https:' || isLocalProxy ? httpProxy : '', httpsProxy, noProxy };
}
