/** Outcome of reading the endpoint option. */
export type Endpoint =
  | { readonly kind: 'usable'; readonly url: string }
  /** Nothing is ever sent; `problem` is one sentence without credentials. */
  | { readonly kind: 'unusable'; readonly problem: string };

/**
 * URL of the POST: the base joined with `./telem`, so the last path segment is replaced unless the base ends in `/`, and
 * query and fragment go away. Only https, or http to this very machine (T-22).
 */
export function resolveEndpoint(base: string): Endpoint {
  let url: URL;
  try {
    url = new URL('./telem', base);
  } catch {
    return { kind: 'unusable', problem: 'the telemetry endpoint is not a valid URL, so nothing is ever sent' };
  }
  url.username = '';
  url.password = '';
  if (url.protocol === 'https:') return { kind: 'usable', url: url.href };
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return { kind: 'usable', url: url.href };
  const problem =
    url.protocol === 'http:'
      ? `the telemetry endpoint ${url.origin} is not https, so nothing is ever sent (plain http is for this machine only)`
      : 'the telemetry endpoint is neither https nor http, so nothing is ever sent';
  return { kind: 'unusable', problem };
}

/** True for names and addresses that cannot leave the machine. `hostname` as the URL parser prints it. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}
