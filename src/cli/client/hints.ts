/** Next steps for the failures that a person meets first. */

/** Code of an answer that is not HTTP. */
export const NOT_HTTP = 'HPE_INVALID';

/** Why a connection failed and what to try, from the code of the error. */
export function connectHint(code: string, origin: string): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing answers at ${origin}: is the server running? Start it with 'influxdb3 serve', or name another one with --host`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name of ${origin} cannot be found: check --host (or INFLUXDB3_HOST_URL)`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${origin} cannot be reached from here: check --host (or INFLUXDB3_HOST_URL), the port and the firewall`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${origin} is for another name: use the name in the certificate, or --tls-no-verify for a test`;
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${origin} has expired: renew it, or use --tls-no-verify for a test`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `${origin} closed the connection: if the server uses TLS, its address begins with https://`;
    case NOT_HTTP:
      return `what answers at ${origin} is no HTTP server: check --host (or INFLUXDB3_HOST_URL), the port, and http:// or https://`;
    default:
      return tlsHint(code, origin);
  }
}

/** What to try after an error status; `message` is the text of the answer. */
export function statusHint(status: number, tokenGiven: boolean, message = ''): string | undefined {
  if (status === 401 && !tokenGiven) {
    return "give a token with --token or INFLUXDB3_AUTH_TOKEN; the first one is made with 'influxdb3 create token --admin'";
  }
  if (status === 401) return 'the token was not accepted: check that it belongs to this server, is complete and has not expired';
  if (status === 403)
    return "the token is valid but may not do this: use an admin token, or one that 'influxdb3 create token --permission' made for it";
  if (status === 413)
    return 'the body is larger than the server allows: send less at once (--max-request-size), or raise --max-http-request-size';
  if (message.includes('ENOSPC')) {
    return 'the disk of the server is full: free space there and write again; what was acknowledged is safe';
  }
  return undefined;
}

/** Where in the statement the mistake is, when the server says so (`1:8`) and its message does not. */
export function placeHint(position: string | string[] | undefined, message: string): string | undefined {
  const [, line, column] = /^(\d+):(\d+)$/.exec(String(position)) ?? [];
  if (line === undefined || /\bLine: \d/.test(message)) return undefined;
  return `look at line ${line}, column ${column} of the statement`;
}

function tlsHint(code: string, origin: string): string | undefined {
  const untrusted = ['SELF_SIGNED', 'UNABLE_TO', 'CERT_UNTRUSTED', 'DEPTH_ZERO'].some((part) => code.includes(part));
  if (untrusted)
    return `the certificate of ${origin} is not trusted here: name its root with --tls-ca <file>, or use --tls-no-verify for a test`;
  const protocol = code === 'EPROTO' || code.startsWith('ERR_SSL');
  return protocol ? `${origin} does not speak what was expected: check whether its address begins with http:// or https://` : undefined;
}
