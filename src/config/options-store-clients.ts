import { type AnyOptionSpec, sectionBuilder } from './option-spec.ts';
import { engineConfig } from './server-value-types.ts';
import {
  boolean,
  booleanValue,
  durationMs,
  integer,
  oneOf,
  path,
  positiveInteger,
  signedInteger,
  sizeBytes,
  text,
  textOrNothing,
  url,
} from './value-types.ts';

const s3 = sectionBuilder('S3-compatible storage');
const later = { status: 'later' } as const;

/** S3 and services that speak it. */
export const s3Options = {
  awsAccessKeyId: s3.option({
    flag: 'aws-access-key-id',
    env: 'AWS_ACCESS_KEY_ID',
    type: textOrNothing,
    help: 'Access key',
    secret: true,
  }),
  awsSecretAccessKey: s3.option({
    flag: 'aws-secret-access-key',
    env: 'AWS_SECRET_ACCESS_KEY',
    type: textOrNothing,
    help: 'Secret of the access key',
    secret: true,
  }),
  awsSessionToken: s3.option({
    flag: 'aws-session-token',
    env: 'AWS_SESSION_TOKEN',
    type: text,
    help: 'Session token of temporary keys',
    secret: true,
  }),
  awsDefaultRegion: s3.defaulted('us-east-1', {
    flag: 'aws-default-region',
    env: 'AWS_DEFAULT_REGION',
    type: text,
    help: 'Region',
  }),
  awsEndpoint: s3.option({ flag: 'aws-endpoint', env: 'AWS_ENDPOINT', type: url, help: 'Address of an S3-compatible service' }),
  awsAllowHttp: s3.defaulted('false', {
    flag: 'aws-allow-http',
    env: 'AWS_ALLOW_HTTP',
    type: boolean,
    help: 'Allow an http:// endpoint',
  }),
  awsSkipSignature: s3.defaulted('false', {
    flag: 'aws-skip-signature',
    env: 'AWS_SKIP_SIGNATURE',
    type: boolean,
    help: 'Anonymous requests',
  }),
  awsCredentialsFile: s3.option({
    flag: 'aws-credentials-file',
    env: 'AWS_CREDENTIALS_FILE',
    type: text,
    help: 'JSON file with keys; overrides the key options',
  }),
};

const clouds = sectionBuilder('Google and Azure storage');

/** Google and Azure. */
export const cloudOptions = {
  googleServiceAccount: clouds.option({
    flag: 'google-service-account',
    env: 'GOOGLE_SERVICE_ACCOUNT',
    type: text,
    help: 'JSON key file of a Google service account',
  }),
  azureStorageAccount: clouds.option({
    flag: 'azure-storage-account',
    env: 'AZURE_STORAGE_ACCOUNT',
    type: text,
    help: 'Azure storage account',
  }),
  azureStorageAccessKey: clouds.option({
    flag: 'azure-storage-access-key',
    env: 'AZURE_STORAGE_ACCESS_KEY',
    type: text,
    help: 'Key of the Azure storage account',
    secret: true,
  }),
  azureEndpoint: clouds.option({
    flag: 'azure-endpoint',
    env: 'AZURE_ENDPOINT',
    type: url,
    help: 'Address of the Azure storage account, or of an emulator',
  }),
  azureAllowHttp: clouds.defaulted('false', {
    flag: 'azure-allow-http',
    env: 'AZURE_ALLOW_HTTP',
    type: boolean,
    help: 'Allow an http:// endpoint',
  }),
};

const client = sectionBuilder('Object-store client tuning');

/** Every network store. */
export const storeClientOptions = {
  objectStoreConnectionLimit: client.defaulted('64', {
    flag: 'object-store-connection-limit',
    env: 'INFLUXDB3_OBJECT_STORE_CONNECTION_LIMIT',
    type: positiveInteger,
    help: 'Store operations at once',
  }),
  objectStoreRequestTimeout: client.defaulted('30s', {
    flag: 'object-store-request-timeout',
    env: 'INFLUXDB3_OBJECT_STORE_REQUEST_TIMEOUT',
    type: durationMs,
    help: 'Longest time of one store request',
  }),
  objectStoreMaxRetries: client.defaulted('10', {
    flag: 'object-store-max-retries',
    env: 'INFLUXDB3_OBJECT_STORE_MAX_RETRIES',
    type: integer,
    help: 'Repetitions of a failed store request; 0 = none',
  }),
  objectStoreRetryTimeout: client.defaulted('3m', {
    flag: 'object-store-retry-timeout',
    env: 'INFLUXDB3_OBJECT_STORE_RETRY_TIMEOUT',
    type: durationMs,
    help: 'Longest time of all repetitions',
  }),
  objectStoreHttp2Only: client.defaulted('false', {
    flag: 'object-store-http2-only',
    env: 'INFLUXDB3_OBJECT_STORE_HTTP2_ONLY',
    type: boolean,
    help: 'Speak HTTP/2 only',
    ...later,
  }),
  objectStoreHttp2MaxFrameSize: client.option({
    flag: 'object-store-http2-max-frame-size',
    env: 'INFLUXDB3_OBJECT_STORE_HTTP2_MAX_FRAME_SIZE',
    type: integer,
    help: 'Largest HTTP/2 frame in bytes',
    ...later,
  }),
  objectStoreCacheEndpoint: client.option({
    flag: 'object-store-cache-endpoint',
    env: 'INFLUXDB3_OBJECT_STORE_CACHE_ENDPOINT',
    type: url,
    help: 'Accepted, without use in InfluxDB 3 Core too',
    ...later,
  }),
  objectStoreTlsAllowInsecure: client.defaulted('false', {
    flag: 'object-store-tls-allow-insecure',
    env: 'INFLUXDB3_OBJECT_STORE_TLS_ALLOW_INSECURE',
    type: boolean,
    help: 'Accept any certificate of the store',
  }),
  objectStoreTlsCa: client.option({
    flag: 'object-store-tls-ca',
    env: 'INFLUXDB3_OBJECT_STORE_TLS_CA',
    type: path,
    help: 'PEM file with one more trusted root',
  }),
  fileCacheDir: client.option({
    flag: 'file-cache-dir',
    env: 'INFLUXDB3_FILE_CACHE_DIR',
    type: path,
    defaultNote: '~/.influxdb3-cache',
    help: 'Folder for copies of Parquet files of a bucket',
  }),
  fileCacheDiskSize: client.defaulted('10gb', {
    flag: 'file-cache-disk-size',
    env: 'INFLUXDB3_FILE_CACHE_DISK_SIZE',
    type: sizeBytes,
    help: 'Disk space for copies of Parquet files of a bucket',
  }),
};

const threads = sectionBuilder('Engine threads');
const runtimeTypes = ['multi-thread', 'multi-thread-alt'] as const;
export const threadOptions = {
  numDatafusionThreads: threads.option({
    flag: 'num-datafusion-threads',
    flagAliases: ['datafusion-num-threads'],
    env: 'INFLUXDB3_NUM_DATAFUSION_THREADS',
    type: positiveInteger,
    defaultNote: 'number of processors',
    help: 'Threads of the query engine',
  }),
  datafusionMaxParquetFanout: threads.defaulted('1000', {
    flag: 'datafusion-max-parquet-fanout',
    env: 'INFLUXDB3_DATAFUSION_MAX_PARQUET_FANOUT',
    type: integer,
    help: 'Accepted for compatibility',
    ...later,
  }),
  datafusionUseCachedParquetLoader: threads.defaulted('true', {
    flag: 'datafusion-use-cached-parquet-loader',
    env: 'INFLUXDB3_DATAFUSION_USE_CACHED_PARQUET_LOADER',
    type: boolean,
    help: 'Accepted for compatibility',
    ...later,
  }),
  datafusionConfig: threads.defaulted('', {
    flag: 'datafusion-config',
    env: 'INFLUXDB3_DATAFUSION_CONFIG',
    type: engineConfig,
    help: 'Accepted for compatibility: key:value pairs',
    ...later,
  }),
  numIoThreads: threads.option({
    flag: 'num-io-threads',
    flagAliases: ['num-threads'],
    env: 'INFLUXDB3_NUM_IO_THREADS',
    type: positiveInteger,
    help: 'Accepted for compatibility, before the sub-command',
    global: true,
    ...later,
  }),
  tokioConsoleEnabled: threads.defaulted('false', {
    flag: 'tokio-console-enabled',
    env: 'TOKIO_CONSOLE_ENABLED',
    type: boolean,
    help: 'Accepted for compatibility',
    hidden: true,
    ...later,
  }),
  tokioConsoleEventBufferCapacity: threads.option({
    flag: 'tokio-console-event-buffer-capacity',
    env: 'TOKIO_CONSOLE_EVENT_BUFFER_CAPACITY',
    type: integer,
    help: 'Accepted for compatibility',
    hidden: true,
    ...later,
  }),
  tokioConsoleClientBufferCapacity: threads.option({
    flag: 'tokio-console-client-buffer-capacity',
    env: 'TOKIO_CONSOLE_CLIENT_BUFFER_CAPACITY',
    type: integer,
    help: 'Accepted for compatibility',
    hidden: true,
    ...later,
  }),
};

/** Thread settings of InfluxDB 3 Core that mean nothing here; read and checked only. */
export const runtimeOptions: Readonly<Record<string, AnyOptionSpec>> = {
  ...runtime('datafusion', { priority: '10', global: false }),
  ...runtime('io', { priority: undefined, global: true }),
};

function runtime(prefix: 'datafusion' | 'io', options: { priority: string | undefined; global: boolean }): Record<string, AnyOptionSpec> {
  const shared = (name: string) => ({
    flag: `${prefix}-runtime-${name}`,
    env: `INFLUXDB3_${prefix}-runtime-${name}`.toUpperCase().replaceAll('-', '_'),
    help: 'Accepted for compatibility',
    global: options.global,
    ...later,
  });
  const priority = { ...shared('thread-priority'), type: signedInteger };
  return {
    [`${prefix}RuntimeType`]: threads.defaulted('multi-thread', { ...shared('type'), type: oneOf(runtimeTypes) }),
    [`${prefix}RuntimeDisableLifoSlot`]: threads.option({ ...shared('disable-lifo-slot'), type: booleanValue }),
    [`${prefix}RuntimeEventInterval`]: threads.option({ ...shared('event-interval'), type: integer }),
    [`${prefix}RuntimeGlobalQueueInterval`]: threads.option({ ...shared('global-queue-interval'), type: integer }),
    [`${prefix}RuntimeMaxBlockingThreads`]: threads.option({ ...shared('max-blocking-threads'), type: integer }),
    [`${prefix}RuntimeMaxIoEventsPerTick`]: threads.option({ ...shared('max-io-events-per-tick'), type: positiveInteger }),
    [`${prefix}RuntimeThreadKeepAlive`]: threads.option({ ...shared('thread-keep-alive'), type: durationMs }),
    [`${prefix}RuntimeThreadPriority`]:
      options.priority === undefined ? threads.option(priority) : threads.defaulted(options.priority, priority),
  };
}
