import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates } from 'node:tls';
import { osReason, type ServeConfig } from '../config/index.ts';
import type { Clock } from '../shared/clock.ts';
import { StartupError } from '../shared/startup-error.ts';
import { systemTimers } from '../shared/timers.ts';
import {
  type BucketStore,
  type ConnectionOptions,
  openAzureStore,
  openGoogleStore,
  S3ObjectStore,
  type S3Options,
} from '../storage/index.ts';

/** How the bucket of a configuration is opened; undefined = it has none. */
export function bucketOf(config: ServeConfig, clock: Clock): ((prefix: string) => Promise<BucketStore>) | undefined {
  const { secrets, store } = config;
  const { bucket = '' } = store;
  switch (store.kind) {
    case 's3':
      return async (prefix) =>
        S3ObjectStore.open({
          ...{ ...connection(store, clock), bucket, prefix, region: store.awsRegion, endpoint: store.awsEndpoint },
          credentials: credentialsOf(secrets, store),
        });
    case 'azure':
      return async (prefix) =>
        openAzureStore({
          ...{ ...connection(store, clock), container: bucket, prefix, endpoint: store.azureEndpoint },
          account: store.azureAccount ?? '',
          accessKey: secrets.azureStorageAccessKey?.reveal(),
        });
    case 'google':
      return async (prefix) =>
        openGoogleStore({ ...connection(store, clock), bucket, prefix, serviceAccountFile: store.googleServiceAccount });
    default:
      return undefined;
  }
}

function connection(store: ServeConfig['store'], clock: Clock): ConnectionOptions {
  return {
    connectionLimit: store.connectionLimit,
    requestTimeoutMs: store.requestTimeoutMs,
    maxRetries: store.maxRetries,
    retryTimeoutMs: store.retryTimeoutMs,
    tlsAllowInsecure: store.tlsAllowInsecure,
    tlsRoots: store.tlsCaPath === undefined ? undefined : [...rootCertificates, certificate(store.tlsCaPath)],
    clock,
    timers: systemTimers,
  };
}

function credentialsOf(secrets: ServeConfig['secrets'], store: ServeConfig['store']): S3Options['credentials'] {
  const { awsAccessKeyId: id, awsSecretAccessKey: secret, awsSessionToken: token } = secrets;
  if (store.awsSkipSignature) return 'anonymous';
  if (store.awsCredentialsFile !== undefined) return { file: store.awsCredentialsFile };
  if (id === undefined || secret === undefined) return undefined;
  return { accessKeyId: id.reveal(), secretAccessKey: secret.reveal(), ...(token === undefined ? {} : { sessionToken: token.reveal() }) };
}

function certificate(path: string): string {
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    throw refused(`Failed to read CA certificate file at "${path}": ${osReason(error)}`, error);
  }
  try {
    createSecureContext({ ca: pem });
  } catch (error) {
    throw refused(`Failed to parse CA certificate from "${path}": ${osReason(error)}`, error);
  }
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw refused(`Failed to parse CA certificate from "${path}": it has no certificate`);
  return pem;
}

function refused(reason: string, cause?: unknown): StartupError {
  return new StartupError(`Cannot parse object store config: ${reason}`, { cause });
}
