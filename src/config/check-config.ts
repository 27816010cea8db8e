import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartupError } from '../shared/startup-error.ts';
import type { ServeConfig, StoreConfig } from './serve-config.ts';

/** Store kinds that this build can serve from. */
const supportedStores: ReadonlySet<StoreConfig['kind']> = new Set(['memory', 'file', 's3', 'azure', 'google']);

const missingBucket: Readonly<Partial<Record<StoreConfig['kind'], string>>> = {
  s3: 'Error configuring Amazon S3: Generic S3 error: Missing bucket name',
  google: 'Error configuring GCS: Generic GCS error: Missing bucket name',
  azure: 'Error configuring Microsoft Azure: Generic MicrosoftAzure error: Container name must be specified',
};

/**
 * Checks that need the machine, before anything is started. Makes the data directory.
 * Throws `StartupError`.
 */
export function checkServeConfig(config: ServeConfig): void {
  checkStore(config.store);
}

function checkStore(store: StoreConfig): void {
  const bucketText = missingBucket[store.kind];
  if (bucketText !== undefined && store.bucket === undefined) throw storeError(bucketText);
  if (!supportedStores.has(store.kind)) throw storeError(`${store.kind} is not supported by this build`);
  if (store.kind === 's3') checkEndpoint('Amazon S3', store.awsEndpoint, store.awsAllowHttp ? undefined : '--aws-allow-http');
  if (store.kind === 'azure') checkAzure(store);
  if (store.dataDir !== undefined) checkDataDir(store.dataDir);
}

function checkAzure({ azureAccount, azureAllowHttp, azureEndpoint }: StoreConfig): void {
  if (azureAccount === undefined) {
    throw storeError(
      'Error configuring Microsoft Azure: Generic MicrosoftAzure error: Account must be specified (--azure-storage-account)',
    );
  }
  if (azureEndpoint === undefined && !/^[a-z0-9]{3,24}$/.test(azureAccount)) {
    throw storeError(
      `Error configuring Microsoft Azure: '${azureAccount}' is no name of a storage account: 3 to 24 small letters and digits`,
    );
  }
  checkEndpoint('Microsoft Azure', azureEndpoint, azureAllowHttp ? undefined : '--azure-allow-http');
}

/** @param missing the option that would allow plain http; undefined = it is given */
function checkEndpoint(service: string, endpoint: string | undefined, missing: string | undefined): void {
  if (endpoint === undefined || missing === undefined || !/^http:/i.test(endpoint)) return;
  throw storeError(`Error configuring ${service}: the endpoint '${endpoint}' is not encrypted; use https, or add ${missing}`);
}

function checkDataDir(dataDir: string): void {
  try {
    makeDirectory(dataDir);
  } catch (error) {
    throw storeError(`Unable to create database directory "${dataDir}": ${osReason(error)}${nextStep(error)}`, error);
  }
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const owner = statSync(dataDir, { throwIfNoEntry: false })?.uid;
    const owned = owner === undefined ? '' : `; it belongs to user id ${owner}`;
    throw storeError(`Database directory "${dataDir}" cannot be written by this user: ${osReason(error)}${owned}${nextStep(error)}`, error);
  }
}

/** What helps when a permission is missing. */
function nextStep(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? '; make it writable for this user, or choose another --data-dir' : '';
}

/** One level at a time: Node.js's recursive mode never returns where the parent takes no directories, as below /proc. */
function makeDirectory(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  const parent = dirname(path);
  // A parent that is a file: to make the directory fails with the reason. (What is below a file is an error of stat in Node.js 20 only.)
  if (found === undefined && statSync(parent, { throwIfNoEntry: false }) === undefined && parent !== path) makeDirectory(parent);
  mkdirSync(path);
}

function storeError(reason: string, cause?: unknown): StartupError {
  return new StartupError(`Cannot parse object store config: ${reason}`, { cause });
}

/** Words for the usual failures of the operating system, without the name of the call. */
export function osReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const known = new Map([
    ['EACCES', 'Permission denied (os error 13)'],
    ['EPERM', 'Operation not permitted (os error 1)'],
    ['EEXIST', 'File exists (os error 17)'],
    ['ENOENT', 'No such file or directory (os error 2)'],
    ['ENOTDIR', 'Not a directory (os error 20)'],
    ['EISDIR', 'Is a directory (os error 21)'],
    ['EROFS', 'Read-only file system (os error 30)'],
    ['ENOSPC', 'No space left on device (os error 28)'],
  ]).get(code);
  return known ?? (error instanceof Error ? error.message : String(error));
}
