import { sectionBuilder } from './option-spec.ts';
import {
  boolean,
  concurrentQueries,
  durationMs,
  fraction,
  integer,
  listOf,
  memoryBytes,
  oneOf,
  path,
  sizeBytes,
  text,
  timerMs,
} from './value-types.ts';

const memory = sectionBuilder('Memory and query limits');
export const memoryOptions = {
  execMemPoolBytes: memory.defaulted('20%', {
    flag: 'exec-mem-pool-bytes',
    flagAliases: ['exec-mem-pool-size'],
    env: 'INFLUXDB3_EXEC_MEM_POOL_BYTES',
    envAliases: ['INFLUXDB3_EXEC_MEM_POOL_SIZE'],
    type: memoryBytes,
    help: 'Memory of the query engine, in MB or as a share',
  }),
  forceSnapshotMemThreshold: memory.defaulted('50%', {
    flag: 'force-snapshot-mem-threshold',
    flagAliases: ['force-snapshot-mem-size'],
    env: 'INFLUXDB3_FORCE_SNAPSHOT_MEM_THRESHOLD',
    envAliases: ['INFLUXDB3_FORCE_SNAPSHOT_MEM_SIZE'],
    type: memoryBytes,
    help: 'Size of the write buffer that forces a snapshot',
  }),
  queryFileLimit: memory.option({
    flag: 'query-file-limit',
    env: 'INFLUXDB3_QUERY_FILE_LIMIT',
    type: integer,
    defaultNote: 'no limit',
    help: 'Parquet files that one table scan may read',
  }),
  queryTimeout: memory.option({
    flag: 'query-timeout',
    env: 'INFLUXDB3_QUERY_TIMEOUT',
    type: durationMs,
    defaultNote: 'no limit',
    help: 'Longest time that one query may run; 0 = no limit',
  }),
  maxConcurrentQueries: memory.option({
    flag: 'max-concurrent-queries',
    env: 'INFLUXDB3_MAX_CONCURRENT_QUERIES',
    type: concurrentQueries,
    defaultNote: 'no limit',
    help: 'Queries that run at once; more wait',
  }),
  queryLogSize: memory.defaulted('1000', {
    flag: 'query-log-size',
    flagAliases: ['query-log-max-entries'],
    env: 'INFLUXDB3_QUERY_LOG_SIZE',
    envAliases: ['INFLUXDB3_QUERY_LOG_MAX_ENTRIES'],
    type: integer,
    help: 'Rows kept in system.queries',
  }),
};

const caches = sectionBuilder('Caches');
export const cacheOptions = {
  lastCacheEvictionInterval: caches.defaulted('10s', {
    flag: 'last-cache-eviction-interval',
    env: 'INFLUXDB3_LAST_CACHE_EVICTION_INTERVAL',
    type: timerMs,
    help: 'How often expired last values are removed',
  }),
  distinctCacheEvictionInterval: caches.defaulted('10s', {
    flag: 'distinct-cache-eviction-interval',
    env: 'INFLUXDB3_DISTINCT_CACHE_EVICTION_INTERVAL',
    type: timerMs,
    help: 'How often expired distinct values are removed',
  }),
  disableParquetMemCache: caches.defaulted('false', {
    flag: 'disable-parquet-mem-cache',
    flagAliases: ['disable-file-cache', 'disable-data-file-cache'],
    env: 'INFLUXDB3_DISABLE_PARQUET_MEM_CACHE',
    envAliases: ['INFLUXDB3_DISABLE_FILE_CACHE', 'INFLUXDB3_DISABLE_DATA_FILE_CACHE'],
    type: boolean,
    help: 'Keep no columns in memory between queries',
  }),
  parquetMemCacheSize: caches.defaulted('20%', {
    flag: 'parquet-mem-cache-size',
    flagAliases: ['file-cache-size'],
    env: 'INFLUXDB3_PARQUET_MEM_CACHE_SIZE',
    envAliases: ['INFLUXDB3_FILE_CACHE_SIZE'],
    type: memoryBytes,
    help: 'Memory for columns that queries need again; at most 256 MiB are used',
  }),
  parquetMemCachePrunePercentage: caches.defaulted('0.1', {
    flag: 'parquet-mem-cache-prune-percentage',
    env: 'INFLUXDB3_PARQUET_MEM_CACHE_PRUNE_PERCENTAGE',
    type: fraction,
    help: 'Share of the file cache that one prune drops',
    status: 'later',
  }),
  parquetMemCachePruneInterval: caches.defaulted('1s', {
    flag: 'parquet-mem-cache-prune-interval',
    env: 'INFLUXDB3_PARQUET_MEM_CACHE_PRUNE_INTERVAL',
    type: timerMs,
    help: 'How often the file cache is pruned',
    status: 'later',
  }),
  parquetMemCacheQueryPathDuration: caches.defaulted('5h', {
    flag: 'parquet-mem-cache-query-path-duration',
    flagAliases: ['file-cache-recency'],
    env: 'INFLUXDB3_PARQUET_MEM_CACHE_QUERY_PATH_DURATION',
    envAliases: ['INFLUXDB3_FILE_CACHE_RECENCY'],
    type: durationMs,
    help: 'Files younger than this are cached when a query reads them',
    status: 'later',
  }),
  tableIndexCacheMaxEntries: caches.defaulted('100', {
    flag: 'table-index-cache-max-entries',
    env: 'INFLUXDB3_TABLE_INDEX_CACHE_MAX_ENTRIES',
    type: integer,
    help: 'Table indexes kept for retention; 0 = no limit',
    status: 'later',
  }),
  tableIndexCacheConcurrencyLimit: caches.defaulted('20', {
    flag: 'table-index-cache-concurrency-limit',
    env: 'INFLUXDB3_TABLE_INDEX_CACHE_CONCURRENCY_LIMIT',
    type: integer,
    help: 'Parallel store calls of that cache',
    status: 'later',
  }),
};

const retention = sectionBuilder('Retention and deletion');
export const retentionOptions = {
  retentionCheckInterval: retention.defaulted('30m', {
    flag: 'retention-check-interval',
    env: 'INFLUXDB3_RETENTION_CHECK_INTERVAL',
    type: timerMs,
    help: 'How often expired files are deleted',
  }),
  deleteGracePeriod: retention.defaulted('24h', {
    flag: 'delete-grace-period',
    env: 'INFLUXDB3_DELETE_GRACE_PERIOD',
    type: durationMs,
    help: 'Time between removing the files of something deleted and forgetting its name',
  }),
  hardDeleteDefaultDuration: retention.defaulted('72h', {
    flag: 'hard-delete-default-duration',
    env: 'INFLUXDB3_HARD_DELETE_DEFAULT_DURATION',
    type: durationMs,
    help: 'How long something deleted can be brought back when the delete names no time',
  }),
};

const processing = sectionBuilder('Processing engine');

const triggerKinds = oneOf(['wal', 'schedule', 'request'] as const);
export const processingOptions = {
  pluginDir: processing.option({
    flag: 'plugin-dir',
    env: 'INFLUXDB3_PLUGIN_DIR',
    type: path,
    help: 'Folder of plugins; without it the processing engine is off',
  }),
  pluginRepo: processing.option({
    flag: 'plugin-repo',
    env: 'INFLUXDB3_PLUGIN_REPO',
    type: text,
    help: 'Base address of plugins named gh:…',
  }),
  virtualEnvLocation: processing.option({
    flag: 'virtual-env-location',
    env: 'VIRTUAL_ENV',
    type: path,
    defaultNote: '<plugin-dir>/.venv',
    help: 'Python environment of the plugins',
  }),
  pluginPython: processing.option({
    flag: 'plugin-python',
    env: 'INFLUXDB3_PLUGIN_PYTHON',
    type: text,
    defaultNote: 'python3 of the search path',
    help: 'Interpreter of Python plugins while there is no Python environment, and the one that makes it; 3.9 or newer',
  }),
  pluginInvocationTimeout: processing.option({
    flag: 'plugin-invocation-timeout',
    env: 'INFLUXDB3_PLUGIN_INVOCATION_TIMEOUT',
    type: timerMs,
    defaultNote: 'no limit',
    help: 'Longest call of a plugin; what runs longer is ended',
  }),
  pluginMemoryLimit: processing.option({
    flag: 'plugin-memory-limit',
    env: 'INFLUXDB3_PLUGIN_MEMORY_LIMIT',
    type: sizeBytes,
    defaultNote: '128 MB for JavaScript, no limit for Python',
    help: 'Memory of one plugin: heap of JavaScript, address space of Python (e.g. 512MB)',
  }),
  pluginQueueLimit: processing.defaulted('64MB', {
    flag: 'plugin-queue-limit',
    env: 'INFLUXDB3_PLUGIN_QUEUE_LIMIT',
    type: sizeBytes,
    help: 'Writes that may wait for one trigger; what comes then is not delivered to it',
  }),
  packageManager: processing.defaulted('discover', {
    flag: 'package-manager',
    env: 'INFLUXDB3_PACKAGE_MANAGER',
    type: oneOf(['discover', 'pip', 'uv', 'disabled'] as const),
    help: 'Deprecated; disabled forbids package installation',
  }),
  restrictPluginTriggersTo: processing.option({
    flag: 'restrict-plugin-triggers-to',
    env: 'INFLUXDB3_RESTRICT_PLUGIN_TRIGGERS_TO',
    type: listOf({ ...triggerKinds, parse: (value, facts) => triggerKinds.parse(value === 'wal_flush' ? 'wal' : value, facts) }),
    help: 'Trigger kinds that may be created',
  }),
};
