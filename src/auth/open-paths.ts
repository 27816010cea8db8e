/** Most items that `--disable-authz` takes. */
const ITEMS_MAX = 6;

/** Paths that each word of `--disable-authz` opens. Two words name endpoints that do not exist here. */
const PATHS: ReadonlyMap<string, readonly string[]> = new Map([
  ['health', ['/health', '/api/v1/health']],
  ['ping', ['/ping']],
  ['metrics', ['/metrics']],
  ['ready', ['/ready']],
  ['pprof', ['/debug/pprof/heap']],
  ['node_stop', []],
]);

/** Paths that skip authentication. Throws `Error` with the exact start message for a bad list. */
export function openPaths(words: readonly string[]): ReadonlySet<string> {
  if (words.length > ITEMS_MAX) throw new Error(`--disable-authz cannot take more than ${ITEMS_MAX} items`);
  const paths = new Set<string>();
  for (const word of words) {
    const opened = PATHS.get(word.trim());
    if (opened === undefined) {
      throw new Error('invalid value passed in for --disable-authz, allowed values are health, ping, metrics, ready, pprof, and node_stop');
    }
    for (const path of opened) paths.add(path);
  }
  return paths;
}
