import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configOf } from './support.ts';

const maxQueries = '2305843009213693951';

/** Flag, bad value, argument as printed, text after it. */
const usageErrors: readonly (readonly [string, string, string, string])[] = [
  ['object-store', 'nfs', '--object-store <OBJECT_STORE>', '\n  [possible values: memory, memory-throttled, file, s3, google, azure]'],
  ['gen1-duration', '7m', '--gen1-duration <GEN1_DURATION>', ': invalid gen1 duration 7m. Must be one of 1m, 5m, 10m'],
  ['gen1-duration', '60s', '--gen1-duration <GEN1_DURATION>', ': invalid gen1 duration 60s. Must be one of 1m, 5m, 10m'],
  ['gen1-duration', '1 m', '--gen1-duration <GEN1_DURATION>', ': invalid gen1 duration 1 m. Must be one of 1m, 5m, 10m'],
  ['delete-grace-period', '10', '--delete-grace-period <DELETE_GRACE_PERIOD>', ': time unit needed, for example 10sec or 10ms'],
  ['delete-grace-period', 'abc', '--delete-grace-period <DELETE_GRACE_PERIOD>', ': expected number at 0'],
  ['delete-grace-period', '1.5h', '--delete-grace-period <DELETE_GRACE_PERIOD>', ': invalid character at 1'],
  ['wal-flush-interval', '0', '--wal-flush-interval <WAL_FLUSH_INTERVAL>', ': must be at least 1ms'],
  [
    'exec-mem-pool-bytes',
    'abc',
    '--exec-mem-pool-bytes <EXEC_MEM_POOL_BYTES>',
    ": failed to parse 'abc' as a memory size in MB: invalid digit found in string",
  ],
  [
    'exec-mem-pool-bytes',
    '101%',
    '--exec-mem-pool-bytes <EXEC_MEM_POOL_BYTES>',
    ": failed to parse '101%' as a percentage of available memory: relative memory size must be in [0, 100] but is 101",
  ],
  ['max-http-request-size', 'x', '--max-http-request-size <MAX_HTTP_REQUEST_SIZE>', ': invalid digit found in string'],
  ['max-http-request-size', '', '--max-http-request-size <MAX_HTTP_REQUEST_SIZE>', ': cannot parse integer from empty string'],
  [
    'max-http-request-size',
    '18446744073709551616',
    '--max-http-request-size <MAX_HTTP_REQUEST_SIZE>',
    ': number too large to fit in target type',
  ],
  [
    'parquet-mem-cache-prune-percentage',
    '1',
    '--parquet-mem-cache-prune-percentage <PARQUET_MEM_CACHE_PRUNE_PERCENTAGE>',
    ': prune percent must be between 0 and 1',
  ],
  [
    'parquet-mem-cache-prune-percentage',
    'x',
    '--parquet-mem-cache-prune-percentage <PARQUET_MEM_CACHE_PRUNE_PERCENTAGE>',
    ': failed to parse prune percent as f64',
  ],
  ['max-concurrent-queries', '0', '--max-concurrent-queries <MAX_CONCURRENT_QUERIES>', ': must be a positive integer, got 0'],
  ['max-concurrent-queries', 'x', '--max-concurrent-queries <MAX_CONCURRENT_QUERIES>', ': invalid integer: invalid digit found in string'],
  [
    'max-concurrent-queries',
    '2305843009213693952',
    '--max-concurrent-queries <MAX_CONCURRENT_QUERIES>',
    `: exceeds maximum of ${maxQueries}`,
  ],
  [
    'snapshot-concurrency-limit',
    '0',
    '--snapshot-concurrency-limit <SNAPSHOT_CONCURRENCY_LIMIT>',
    ': snapshot concurrency limit must be greater than 0',
  ],
  [
    'object-store-connection-limit',
    '0',
    '--object-store-connection-limit <OBJECT_STORE_CONNECTION_LIMIT>',
    ': number would be zero for non-zero type',
  ],
  ['wal-snapshot-size', '0', '--wal-snapshot-size <WAL_SNAPSHOT_SIZE>', ': number would be zero for non-zero type'],
  ['http-bind', '8181', '--http-bind <HTTP_BIND_ADDRESS>', ": Cannot parse socket address '8181': invalid socket address"],
  ['http-bind', '1.2.3.4:x', '--http-bind <HTTP_BIND_ADDRESS>', ": Cannot parse socket address '1.2.3.4:x': invalid port value"],
  ['http-bind', '1.2.3.4:70000', '--http-bind <HTTP_BIND_ADDRESS>', ": Cannot parse socket address '1.2.3.4:70000': invalid port value"],
  ['http-bind', '1.2.3:80', '--http-bind <HTTP_BIND_ADDRESS>', ": Cannot parse socket address '1.2.3:80': invalid socket address"],
  ['tls-minimum-version', '1.3', '--tls-minimum-version <TLS_MINIMUM_VERSION>', ': Valid minimum version strings are tls-1.2 and tls-1.3'],
  [
    'disable-authz',
    'health,pong',
    '--disable-authz <DISABLE_AUTHZ>',
    ': invalid value passed in for --disable-authz, allowed values are health, ping, metrics, ready, pprof, and node_stop',
  ],
  [
    'disable-authz',
    'ping,ping,ping,ping,ping,ping,ping',
    '--disable-authz <DISABLE_AUTHZ>',
    ': --disable-authz cannot take more than 6 items',
  ],
  ['log-format', 'xml', '--log-format <LOG_FORMAT>', ": Invalid log format 'xml'. Valid options: full, pretty, json, logfmt"],
  ['log-destination', 'file', '--log-destination <LOG_DESTINATION>', ": Invalid log destination 'file'. Valid options: stdout, stderr"],
  ['traces-exporter', 'otlp', '--traces-exporter <TRACES_EXPORTER>', ": Invalid traces exporter 'otlp'. Valid options: none, jaeger"],
  ['traces-jaeger-tags', 'a', '--traces-jaeger-tags <TRACES_JAEGER_TAGS>', ': invalid key=value pair (a)'],
  ['aws-endpoint', 'whatever.com', '--aws-endpoint <AWS_ENDPOINT>', ': relative URL without a base'],
  ['telemetry-endpoint', 'nowhere', '--telemetry-endpoint <TELEMETRY_ENDPOINT>', ': relative URL without a base'],
  ['package-manager', 'npm', '--package-manager <PACKAGE_MANAGER>', '\n  [possible values: discover, pip, uv, disabled]'],
  [
    'restrict-plugin-triggers-to',
    'cron',
    '--restrict-plugin-triggers-to <RESTRICT_PLUGIN_TRIGGERS_TO>...',
    '\n  [possible values: wal, schedule, request]',
  ],
  ['datafusion-config', 'a', '--datafusion-config <DATAFUSION_CONFIG>', ": Invalid key value pair - expected 'KEY:VALUE' got 'a'"],
  ['datafusion-config', 'a:1,a:2', '--datafusion-config <DATAFUSION_CONFIG>', ": key 'a' passed multiple times"],
  ['node-id', 'a/b', '--node-id <PREFIX>', ': a node id cannot contain a slash, a backslash or a NUL byte'],
  ['node-id', '..', '--node-id <PREFIX>', ': a node id cannot start with a dot'],
];

describe('messages of wrong values', () => {
  for (const [flag, value, argument, reason] of usageErrors) {
    it(`--${flag} ${value}`, () => {
      const message = `invalid value '${value}' for '${argument}'${reason}`;
      assert.throws(() => configOf({ [flag]: value }), { name: 'UsageError', message });
    });
  }

  it('--wal-local-dir is refused with the reason', () => {
    assert.throws(() => configOf({ 'wal-local-dir': '/tmp' }), /a log on a local disk before the bucket is not available/);
  });

  it('--cluster-id is refused with the reason', () => {
    assert.throws(
      () => configOf({ 'cluster-id': 'x' }),
      (error: Error) =>
        error.message.includes("You've incorrectly specified a cluster-id for InfluxDB 3 Core OSS.") &&
        error.message.includes('Remove --cluster-id to run InfluxDB 3 Core OSS.'),
    );
  });

  it('booleans from the environment are true or false only', () => {
    for (const value of ['1', 'yes', 'TRUE']) {
      const message = `invalid value '${value}' for '--without-auth'\n  [possible values: true, false]`;
      assert.throws(() => configOf({}, { INFLUXDB3_START_WITHOUT_AUTH: value }), { name: 'UsageError', message });
    }
  });

  it('empty paths and booleans count as no value', () => {
    assert.throws(() => configOf({}, { INFLUXDB3_DB_DIR: '' }), {
      message: "a value is required for '--data-dir <DATABASE_DIRECTORY>' but none was supplied",
    });
    assert.throws(() => configOf({}, { INFLUXDB3_START_WITHOUT_AUTH: '' }), {
      message: "a value is required for '--without-auth' but none was supplied\n  [possible values: true, false]",
    });
  });

  it('both node id options cannot be used together, also through the environment', () => {
    const message = "the argument '--node-id <PREFIX>' cannot be used with '--node-id-from-env <FROM_ENV_VAR>'";
    assert.throws(() => configOf({ 'node-id': 'a', 'node-id-from-env': 'B' }), { name: 'UsageError', message });
    assert.throws(() => configOf({ 'node-id': 'a' }, { INFLUXDB3_NODE_IDENTIFIER_FROM_ENV: 'B', B: 'b' }), { name: 'UsageError', message });
  });

  it('a single value given twice is refused', () => {
    const message = "the argument '--node-id <PREFIX>' cannot be used multiple times";
    assert.throws(() => configOf({ 'node-id': ['a', 'b'] }), { name: 'UsageError', message });
  });

  it('prints as one block that ends in the help hint', () => {
    try {
      configOf({ 'object-store': 'fil' });
      assert.fail('must throw');
    } catch (error) {
      assert.equal(
        (error as { render(): string }).render(),
        "error: invalid value 'fil' for '--object-store <OBJECT_STORE>'\n  [possible values: memory, memory-throttled, file, s3, google, azure]\n\n  tip: a similar value exists: 'file'\n\nFor more information, try '--help'.\n",
      );
    }
  });
});

describe('start errors', () => {
  it('the variable named by --node-id-from-env is unset', () => {
    assert.throws(() => configOf({ 'node-id-from-env': 'NAME' }), {
      name: 'StartupError',
      exitCode: 1,
      message: 'Must set INFLUXDB3_NODE_IDENTIFIER_PREFIX=NAME to a valid env var value for the node id',
    });
  });

  it('one TLS file without the other', () => {
    const message = 'tls requires both a cert and a key file to be passed in to work';
    assert.throws(() => configOf({ 'tls-cert': 'c' }), { name: 'StartupError', message });
    assert.throws(() => configOf({ 'tls-key': 'k' }), { name: 'StartupError', message });
  });
});
