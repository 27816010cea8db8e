/** Whether an address, or the name in an address, is this machine alone: `127.0.0.0/8`, also inside IPv6, `::1` and `localhost`. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || /^(?:::ffff:)?127\./i.test(host);
}
