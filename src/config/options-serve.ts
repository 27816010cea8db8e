import { sectionBuilder } from './option-spec.ts';
import { clusterIdRefusal, gen1DurationSecs, nodeId, openPaths, socketAddress, walLocalDirRefusal } from './server-value-types.ts';
import { boolean, durationMs, integer, integerFromOne, oneOf, path, positiveInteger, sizeBytes, text, timerMs } from './value-types.ts';

const storeKinds = ['memory', 'memory-throttled', 'file', 's3', 'google', 'azure'] as const;

export type StoreKind = (typeof storeKinds)[number];

const storage = sectionBuilder('Node and storage');
export const storageOptions = {
  nodeId: storage.option({
    flag: 'node-id',
    flagAliases: ['host-id'],
    env: 'INFLUXDB3_NODE_IDENTIFIER_PREFIX',
    envAliases: ['INFLUXDB3_NODE_ID'],
    type: nodeId,
    placeholder: 'PREFIX',
    defaultNote: '<hostname>-node',
    help: 'Name of this server: first folder of everything it stores',
    common: true,
  }),
  nodeIdFromEnv: storage.option({
    flag: 'node-id-from-env',
    env: 'INFLUXDB3_NODE_IDENTIFIER_FROM_ENV',
    envAliases: ['INFLUXDB3_NODE_ID_FROM_ENV'],
    type: text,
    placeholder: 'FROM_ENV_VAR',
    help: 'Take the node id from the environment variable of this name',
  }),
  clusterId: storage.option({ flag: 'cluster-id', type: clusterIdRefusal, help: 'Not an option of this product', hidden: true }),
  walLocalDir: storage.option({ flag: 'wal-local-dir', type: walLocalDirRefusal, help: 'Not available', hidden: true }),
  objectStore: storage.defaulted('file', {
    flag: 'object-store',
    env: 'INFLUXDB3_OBJECT_STORE',
    type: oneOf(storeKinds, { anyCase: true }),
    help: 'Where the data lives; memory forgets everything at the end',
    common: true,
  }),
  dataDir: storage.option({
    flag: 'data-dir',
    env: 'INFLUXDB3_DB_DIR',
    envAliases: ['INFLUXDB3_DATA_DIR'],
    type: path,
    placeholder: 'DATABASE_DIRECTORY',
    defaultNote: '~/.influxdb3',
    help: 'Folder of the file store; made when missing',
    common: true,
  }),
  bucket: storage.option({
    flag: 'bucket',
    env: 'INFLUXDB3_BUCKET',
    type: text,
    help: 'Bucket or container of a cloud store',
  }),
};

const http = sectionBuilder('HTTP and TLS');

/** The listener. */
export const httpOptions = {
  httpBind: http.defaulted('0.0.0.0:8181', {
    flag: 'http-bind',
    env: 'INFLUXDB3_HTTP_BIND_ADDR',
    type: socketAddress,
    placeholder: 'HTTP_BIND_ADDRESS',
    help: 'Address to listen on; port 0 takes any free port',
    common: true,
  }),
  maxHttpRequestSize: http.defaulted('10485760', {
    flag: 'max-http-request-size',
    env: 'INFLUXDB3_MAX_HTTP_REQUEST_SIZE',
    type: sizeBytes,
    help: 'Largest request body in bytes, before and after unzipping',
  }),
  tlsCert: http.option({
    flag: 'tls-cert',
    env: 'INFLUXDB3_TLS_CERT',
    type: path,
    placeholder: 'CERT_FILE',
    help: 'PEM file with the certificate chain; needs --tls-key',
    common: true,
  }),
  tlsKey: http.option({
    flag: 'tls-key',
    env: 'INFLUXDB3_TLS_KEY',
    type: path,
    placeholder: 'KEY_FILE',
    help: 'PEM file with the private key; needs --tls-cert',
    common: true,
  }),
  tlsMinimumVersion: http.defaulted('tls-1.2', {
    flag: 'tls-minimum-version',
    env: 'INFLUXDB3_TLS_MINIMUM_VERSION',
    type: oneOf(['tls-1.2', 'tls-1.3'], { refusal: () => 'Valid minimum version strings are tls-1.2 and tls-1.3' }),
    help: 'Oldest TLS version that is accepted',
  }),
};

const auth = sectionBuilder('Authentication');

/** Tokens. */
export const authOptions = {
  withoutAuth: auth.defaulted('false', {
    flag: 'without-auth',
    env: 'INFLUXDB3_START_WITHOUT_AUTH',
    envAliases: ['INFLUXDB3_WITHOUT_AUTH'],
    type: boolean,
    help: 'Answer everybody, without tokens',
    common: true,
  }),
  disableAuthz: auth.option({
    flag: 'disable-authz',
    env: 'INFLUXDB3_DISABLE_AUTHZ',
    type: openPaths,
    placeholder: 'DISABLE_AUTHZ',
    help: 'Paths that need no token',
  }),
  remoteFirstToken: auth.defaulted('false', {
    flag: 'remote-first-token',
    env: 'INFLUXDB3_REMOTE_FIRST_TOKEN',
    type: boolean,
    help: 'Let other machines, and proxies, make the first operator token while there is none',
  }),
  adminTokenFile: auth.option({
    flag: 'admin-token-file',
    env: 'INFLUXDB3_ADMIN_TOKEN_FILE',
    type: path,
    help: 'JSON file with an admin token that is created at start when its name is new',
  }),
  adminTokenRecovery: auth.option({
    flag: 'admin-token-recovery-http-bind',
    env: 'INFLUXDB3_ADMIN_TOKEN_RECOVERY_HTTP_BIND_ADDR',
    envAliases: ['INFLUXDB3_ADMIN_TOKEN_RECOVERY_HTTP_BIND'],
    type: socketAddress,
    placeholder: 'ADMIN_TOKEN_RECOVERY_HTTP_BIND_ADDRESS',
    bareValue: '127.0.0.1:8182',
    help: 'Second listener that regenerates the admin token once, without a token (alone: 127.0.0.1:8182)',
  }),
};

const wal = sectionBuilder('Write-ahead log and snapshots');
export const walOptions = {
  walFlushInterval: wal.defaulted('1s', {
    flag: 'wal-flush-interval',
    env: 'INFLUXDB3_WAL_FLUSH_INTERVAL',
    type: timerMs,
    help: 'Longest time that a write may wait to become durable',
  }),
  walSnapshotSize: wal.defaulted('600', {
    flag: 'wal-snapshot-size',
    flagAliases: ['wal-files-per-snapshot'],
    env: 'INFLUXDB3_WAL_SNAPSHOT_SIZE',
    envAliases: ['INFLUXDB3_WAL_FILES_PER_SNAPSHOT'],
    type: integerFromOne('number would be zero for non-zero type'),
    help: 'WAL files that one snapshot turns into Parquet',
  }),
  walMaxWriteBufferSize: wal.defaulted('100000', {
    flag: 'wal-max-write-buffer-size',
    flagAliases: ['wal-max-buffered-writes'],
    env: 'INFLUXDB3_WAL_MAX_WRITE_BUFFER_SIZE',
    envAliases: ['INFLUXDB3_WAL_MAX_BUFFERED_WRITES'],
    type: integer,
    help: 'Writes that may wait for the WAL before new ones are refused',
  }),
  snapshottedWalFilesToKeep: wal.defaulted('300', {
    flag: 'snapshotted-wal-files-to-keep',
    env: 'INFLUXDB3_NUM_WAL_FILES_TO_KEEP',
    envAliases: ['INFLUXDB3_SNAPSHOTTED_WAL_FILES_TO_KEEP'],
    type: integer,
    help: 'WAL files kept after their rows are in Parquet; 0 deletes them at once',
  }),
  walReplayFailOnError: wal.defaulted('false', {
    flag: 'wal-replay-fail-on-error',
    env: 'INFLUXDB3_WAL_REPLAY_FAIL_ON_ERROR',
    type: boolean,
    help: 'Refuse to start when a WAL file is damaged, instead of skipping it',
  }),
  walReplayConcurrencyLimit: wal.option({
    flag: 'wal-replay-concurrency-limit',
    env: 'INFLUXDB3_WAL_REPLAY_CONCURRENCY_LIMIT',
    type: integer,
    defaultNote: 'number of processors, at least 10',
    help: 'WAL files read in parallel at start',
    status: 'later',
  }),
  snapshotConcurrencyLimit: wal.option({
    flag: 'snapshot-concurrency-limit',
    env: 'INFLUXDB3_SNAPSHOT_CONCURRENCY_LIMIT',
    type: integerFromOne('snapshot concurrency limit must be greater than 0'),
    defaultNote: 'number of processors',
    help: 'Parquet files written in parallel',
    status: 'later',
  }),
  gen1Duration: wal.defaulted('10m', {
    flag: 'gen1-duration',
    env: 'INFLUXDB3_GEN1_DURATION',
    type: gen1DurationSecs,
    help: 'Time span of one Parquet file; fixed at the first start',
  }),
  gen1LookbackDuration: wal.defaulted('1month', {
    flag: 'gen1-lookback-duration',
    env: 'INFLUXDB3_GEN1_LOOKBACK_DURATION',
    type: durationMs,
    help: 'How far back the reference loads files at start; here every live file is loaded',
    status: 'later',
  }),
  checkpointInterval: wal.option({
    flag: 'checkpoint-interval',
    env: 'INFLUXDB3_CHECKPOINT_INTERVAL',
    type: timerMs,
    help: 'How often snapshot metadata is merged',
    status: 'later',
  }),
};

const limits = sectionBuilder('Limits of the catalog');

/** The fixed limits of InfluxDB 3 Core, as options. */
export const limitOptions = {
  maxDatabases: limits.defaulted('1000', {
    flag: 'max-databases',
    env: 'INFLUXDB3_MAX_DATABASES',
    type: positiveInteger,
    help: 'Databases that may exist, besides _internal',
  }),
  maxTables: limits.defaulted('10000', {
    flag: 'max-tables',
    env: 'INFLUXDB3_MAX_TABLES',
    type: positiveInteger,
    help: 'Tables that may exist in all databases together',
  }),
  maxColumnsPerTable: limits.defaulted('1000', {
    flag: 'max-columns-per-table',
    env: 'INFLUXDB3_MAX_COLUMNS_PER_TABLE',
    type: positiveInteger,
    help: 'Columns that one table may have',
  }),
};
