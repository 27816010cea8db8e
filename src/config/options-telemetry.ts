import { sectionBuilder } from './option-spec.ts';
import { invocationMethod } from './server-value-types.ts';
import { boolean, exactUrl, path } from './value-types.ts';

const telemetry = sectionBuilder('Usage telemetry');

/** Endpoint of InfluxDB 3 Core. */
const defaultTelemetryEndpoint = 'https://telemetry.v3.influxdata.com';

/** Visible in help on purpose. */
export const telemetryOptions = {
  disableTelemetryUpload: telemetry.defaulted('false', {
    flag: 'disable-telemetry-upload',
    env: 'INFLUXDB3_TELEMETRY_DISABLE_UPLOAD',
    envAliases: ['INFLUXDB3_DISABLE_TELEMETRY_UPLOAD'],
    type: boolean,
    rawEnv: true,
    help: 'Collect and send no usage data at all',
    common: true,
  }),
  telemetryEndpoint: telemetry.defaulted(defaultTelemetryEndpoint, {
    flag: 'telemetry-endpoint',
    env: 'INFLUXDB3_TELEMETRY_ENDPOINT',
    type: exactUrl,
    help: 'Where usage data is sent, to ./telem below this address',
    common: true,
  }),
  telemetryReceiver: telemetry.defaulted('false', {
    flag: 'telemetry-receiver',
    env: 'INFLUXDB3_TELEMETRY_RECEIVER',
    type: boolean,
    help: 'Accept usage reports of other servers at POST /telem and store them here',
  }),
  serveInvocationMethod: telemetry.defaulted('explicit', {
    flag: 'serve-invocation-method',
    env: 'INFLUXDB3_SERVE_INVOCATION_METHOD',
    type: invocationMethod,
    help: 'How the server was started, a word or a number',
    hidden: true,
  }),
};

const tooling = sectionBuilder('Tests and tooling');

/** Options of telemetry that InfluxDB 3 Core does not have. */
export const toolingOptions = {
  readyFile: tooling.option({
    flag: 'ready-file',
    env: 'INFLUXDB3_READY_FILE',
    type: path,
    help: 'File that is written with the address once the server answers, and removed at the end',
  }),
  check: tooling.defaulted('false', {
    flag: 'check',
    type: boolean,
    help: 'Check the configuration, say what would be used, and end',
  }),
  tcpListenerFilePath: tooling.option({
    flag: 'tcp-listener-file-path',
    // compat: the misspelled name is the one that InfluxDB 3 Core reads.
    env: 'INFLUXDB3_TCP_LISTINER_FILE_PATH',
    envAliases: ['INFLUXDB3_TCP_LISTENER_FILE_PATH'],
    type: path,
    help: 'New file for the address that was bound',
    hidden: true,
  }),
  adminTokenRecoveryTcpListenerFilePath: tooling.option({
    flag: 'admin-token-recovery-tcp-listener-file-path',
    env: 'INFLUXDB3_ADMIN_TOKEN_RECOVERY_TCP_LISTENER_FILE_PATH',
    type: path,
    help: 'New file for the address of the recovery listener',
    hidden: true,
  }),
  checkBatches: tooling.defaulted('false', {
    flag: 'check-batches',
    env: 'INFLUXDB3_CHECK_BATCHES',
    type: boolean,
    help: 'Compare the checksum of every batch of rows between its encoding and its use',
    hidden: true,
  }),
  testMode: tooling.defaulted('false', {
    flag: 'test-mode',
    type: boolean,
    help: 'Offer the endpoints that only tests need',
    hidden: true,
  }),
};
