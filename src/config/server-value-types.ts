import { isIPv4, isIPv6 } from 'node:net';
import { OPEN_WORDS, type OpenWord } from '../shared/gate-paths.ts';
import { ValueError } from './usage-error.ts';
import type { ValueType } from './value-types.ts';

/** Where to listen. `host` is an address or a name that the bind resolves. */
export interface SocketAddress {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

/** `ip:port`, `[v6]:port` or `host:port`. */
export const socketAddress: ValueType<SocketAddress> = {
  name: 'address',
  parse(value) {
    const fail = (reason: string): ValueError => new ValueError(`Cannot parse socket address '${value}': ${reason}`);
    const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([^:]*)$/.exec(value);
    if (match === null) throw fail('invalid socket address');
    const [, v6, name, portText = ''] = match;
    if (v6 !== undefined && !isIPv6(v6)) throw fail('invalid socket address');
    if (!/^[0-9]+$/.test(portText) || Number(portText) > 65_535) throw fail('invalid port value');
    const host = v6 ?? name ?? '';
    if (/^[0-9.]+$/.test(host) && !isIPv4(host)) throw fail('invalid socket address');
    return { host, port: Number(portText) };
  },
};

/** Node id: first path segment of every stored object, so it must be a plain name. */
export const nodeId: ValueType<string> = {
  name: 'text',
  parse(value) {
    if (value === '') throw new ValueError('a node id cannot be empty');
    if (value.startsWith('.')) throw new ValueError('a node id cannot start with a dot');
    if (/[/\\\0]/.test(value)) throw new ValueError('a node id cannot contain a slash, a backslash or a NUL byte');
    return value;
  },
};

/** Always refused: with a bucket an acknowledged write is in the bucket. */
export const walLocalDirRefusal: ValueType<never> = {
  name: 'path',
  parse() {
    throw new ValueError(
      'a log on a local disk before the bucket is not available: a write is acknowledged when the bucket has it; ' +
        "a server that must answer within a disk's time uses --object-store file",
    );
  },
};

/** Always refused: this is a parameter of another product. */
export const clusterIdRefusal: ValueType<never> = {
  name: 'text',
  parse() {
    throw new ValueError(
      [
        "You've incorrectly specified a cluster-id for InfluxDB 3 Core OSS.",
        'The cluster-id parameter is only used by InfluxDB 3 Enterprise.',
        'A Core server runs alone and is told apart by its node id.',
        'Remove --cluster-id to run InfluxDB 3 Core OSS.',
      ].join('\n'),
    );
  },
};

/** Time span of one Parquet file, in seconds; exactly three spellings. */
export const gen1DurationSecs: ValueType<number> = {
  name: '1m, 5m, 10m',
  possibleValues: ['1m', '5m', '10m'],
  parse(value) {
    const match = /^(1|5|10)m$/.exec(value);
    if (match === null) throw new ValueError(`invalid gen1 duration ${value}. Must be one of 1m, 5m, 10m`);
    return Number(match[1]) * 60;
  },
};

/** Comma list of paths that need no token. */
export const openPaths: ValueType<readonly OpenWord[]> = {
  name: 'list of health, ping, metrics, ready, pprof, node_stop',
  isList: true,
  possibleValues: OPEN_WORDS,
  parse(value) {
    const items = value.split(',').map((item) => item.trim());
    if (items.length > OPEN_WORDS.length) throw new ValueError(`--disable-authz cannot take more than ${OPEN_WORDS.length} items`);
    return items.map((item) => {
      const found = OPEN_WORDS.find((name) => name === item);
      if (found !== undefined) return found;
      throw new ValueError(
        'invalid value passed in for --disable-authz, allowed values are health, ping, metrics, ready, pprof, and node_stop',
      );
    });
  },
};

/** `k=v,k=v` tags of the tracing exporter. */
export const tracingTags: ValueType<readonly (readonly [string, string])[]> = {
  name: 'key=value list',
  parse: (value) =>
    value.split(',').map((pair) => {
      const equals = pair.indexOf('=');
      if (equals === -1) throw new ValueError(`invalid key=value pair (${pair})`);
      return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
    }),
};

/** `key:value,key:value` of the query engine configuration. */
export const engineConfig: ValueType<ReadonlyMap<string, string>> = {
  name: 'key:value list',
  parse(value) {
    const pairs = new Map<string, string>();
    if (value.trim() === '') return pairs;
    for (const pair of value.split(',')) {
      const parts = pair.trim().split(':');
      if (parts.length !== 2) throw new ValueError(`Invalid key value pair - expected 'KEY:VALUE' got '${value}'`);
      const [key = '', setting = ''] = parts.map((part) => part.trim());
      if (pairs.has(key)) throw new ValueError(`key '${key}' passed multiple times`);
      pairs.set(key, setting);
    }
    return pairs;
  },
};

/** How the server was started, as the number that telemetry reports. Never fails. */
export const invocationMethod: ValueType<bigint> = {
  name: 'text',
  parse(value) {
    const known = invocationMethods.get(value);
    if (known !== undefined) return known;
    const number = /^\+?[0-9]+$/.test(value) ? BigInt(value.replace('+', '')) : undefined;
    return number !== undefined && number < 2n ** 64n ? number : 0xffff_ffffn;
  },
};

const invocationMethods: ReadonlyMap<string, bigint> = new Map([
  ['explicit', 0n],
  ['quick-start', 1n],
  ['install-script', 2n],
  ['docker-hub', 3n],
  ['docker-other', 4n],
  ['tests', 128_579n],
]);
