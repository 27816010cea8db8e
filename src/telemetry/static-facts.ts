import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** What the server knows about itself once and for all. */
export interface ServerIdentity {
  /** Package version, such as `3.10.0-ts.1`. */
  readonly packageVersion: string;
  /** Value of `--object-store`. */
  readonly storageType: string;
  /** UUID of the node record in the catalog. */
  readonly instanceId: string;
  /** UUID of the catalog. */
  readonly clusterUuid: string;
  /** Number that `--serve-invocation-method` stands for. */
  readonly serveInvocationMethod: bigint;
}

/** The payload fields that never change while the server runs. */
export interface StaticFacts {
  readonly os: string;
  readonly version: string;
  readonly storageType: string;
  readonly instanceId: string;
  readonly clusterUuid: string;
  readonly cores: number;
  readonly serveInvocationMethod: bigint;
}

const STORAGE_TYPES: readonly string[] = ['memory', 'memory-throttled', 'file', 's3', 'google', 'azure'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const VERSION = /^[0-9A-Za-z.+-]{1,64}$/;

/** Keeps only values of known shape: free text that reached this place by mistake must not leave the server. */
export function collectStaticFacts(identity: ServerIdentity, host: { platform: string; cores: number }): StaticFacts {
  return {
    os: osName(host.platform),
    version: `influxdb3-${VERSION.test(identity.packageVersion) ? identity.packageVersion : 'unknown'}`,
    storageType: STORAGE_TYPES.includes(identity.storageType) ? identity.storageType : 'unknown',
    instanceId: UUID.test(identity.instanceId) ? identity.instanceId : '',
    clusterUuid: UUID.test(identity.clusterUuid) ? identity.clusterUuid : '',
    cores: Math.max(1, Math.trunc(host.cores)),
    serveInvocationMethod: identity.serveInvocationMethod,
  };
}

/** Operating system as Rust names it. */
export function osName(platform: string): string {
  const renamed: Readonly<Record<string, string>> = { darwin: 'macos', win32: 'windows', windows: 'windows', sunos: 'solaris' };
  return renamed[platform.toLowerCase()] ?? platform.toLowerCase();
}

/** CPUs that this process may use: affinity and container quota, at least 1. */
export function usableCores(readText: (path: string) => string | undefined = readTextFile, logical = availableParallelism()): number {
  const quota = cgroupQuota(readText);
  return Math.max(1, quota === undefined ? logical : Math.min(logical, Math.ceil(quota)));
}

/** Smallest CPU quota on the way from our control group up to the root, in cores. */
function cgroupQuota(readText: (path: string) => string | undefined): number | undefined {
  const lines = (readText('/proc/self/cgroup') ?? '').split('\n');
  let smallest: number | undefined;
  for (const line of lines) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes('cpu')) continue;
    for (const folder of foldersUp(path)) {
      const quota = controllers === '' ? quotaV2(readText, folder) : quotaV1(readText, controllers, folder);
      if (quota !== undefined && (smallest === undefined || quota < smallest)) smallest = quota;
    }
  }
  return smallest;
}

function foldersUp(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, index) =>
    parts
      .slice(0, parts.length - index)
      .map((part) => `/${part}`)
      .join(''),
  );
}

function quotaV2(readText: (path: string) => string | undefined, folder: string): number | undefined {
  const [quota, period] = (readText(`/sys/fs/cgroup${folder}/cpu.max`) ?? '').trim().split(/\s+/);
  return positiveRatio(quota, period);
}

function quotaV1(readText: (path: string) => string | undefined, controllers: string, folder: string): number | undefined {
  for (const mount of ['cpu', controllers]) {
    const base = `/sys/fs/cgroup/${mount}${folder}`;
    const quota = positiveRatio(readText(`${base}/cpu.cfs_quota_us`), readText(`${base}/cpu.cfs_period_us`));
    if (quota !== undefined) return quota;
  }
  return undefined;
}

function positiveRatio(quota: string | undefined, period: string | undefined): number | undefined {
  const ratio = Number(quota?.trim() || Number.NaN) / Number(period?.trim() || Number.NaN);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : undefined;
}

function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // not Linux, or no such control group: no quota
  }
}
