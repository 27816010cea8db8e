import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianPackage } from '../tooling/ensure-debian-package.ts';
import { ensureNpmPackage } from '../tooling/ensure-npm-package.ts';
import { emptyDirectory } from './bucket-servers.ts';
import { until } from './until.ts';

const START_TIMEOUT_MS = 180_000;

/** Programs and the Debian packages that have them. */
const PROGRAMS = [
  ['ceph-mon', 'ceph-mon'],
  ['ceph-osd', 'ceph-osd'],
  ['radosgw', 'radosgw'],
  ['ceph', 'ceph-common'],
] as const;

/** Why the gateway cannot be had on this machine; undefined = its programs are installed. */
export function radosgwMissing(): string | undefined {
  for (const [program, debianPackage] of PROGRAMS) {
    const found = ensureDebianPackage(program, debianPackage);
    if (found.kind === 'missing') return found.reason;
  }
  return undefined;
}

/** Ceph's S3 gateway on loopback, with a cluster in memory behind it. */
export class Radosgw {
  readonly url: string;
  readonly #folder: string;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(t: { after(fn: () => Promise<void>): void }): Promise<Radosgw> {
    let gateway: Radosgw | undefined;
    t.after(async () => gateway?.end()); // before the folder goes, which has the process ids
    const folder = await emptyDirectory(t);
    const port = await freePort();
    const base = 20_000 + (process.pid % 1_000) * 20;
    const script = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'test', 'tooling', 'radosgw.sh');
    gateway = new Radosgw(folder, port);
    execFileSync('bash', [script, folder, String(port), String(base)], { stdio: 'ignore', timeout: START_TIMEOUT_MS });
    return gateway;
  }

  /** Kills the gateway and what it stores. */
  end(): void {
    for (const part of ['rgw', 'osd', 'mon']) this.#end(part);
  }

  /** Makes a bucket; returns the flags of a server that keeps its data there. */
  async bucket(name: string): Promise<string[]> {
    const sdk = createRequire(join(ensureNpmPackage('@aws-sdk/client-s3'), 'here.js'))('@aws-sdk/client-s3') as {
      S3Client: new (config: object) => { send(command: object): Promise<unknown>; destroy(): void };
      CreateBucketCommand: new (input: object) => object;
    };
    const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-of-the-test' };
    const client = new sdk.S3Client({ region: 'us-east-1', endpoint: this.url, forcePathStyle: true, credentials });
    await until(() => client.send(new sdk.CreateBucketCommand({ Bucket: name })).then(() => true));
    client.destroy();
    return [
      ...['--object-store', 's3', '--bucket', name, '--aws-endpoint', this.url, '--aws-allow-http'],
      ...['--aws-access-key-id', credentials.accessKeyId, '--aws-secret-access-key', credentials.secretAccessKey],
    ];
  }

  /** Kills the gateway, not what it stores. Returns what starts it again. */
  async kill(): Promise<() => Promise<void>> {
    this.#end('rgw');
    await until(async () => !(await this.#answers()));
    return async () => {
      const log = openSync(join(this.#folder, 'log', 'rgw.again'), 'a');
      const args = ['-c', join(this.#folder, 'ceph.conf'), '-n', 'client.rgw', '-f'];
      const child = spawn('radosgw', args, { detached: true, stdio: ['ignore', log, log] });
      closeSync(log);
      child.unref();
      writeFileSync(join(this.#folder, 'rgw.pid'), String(child.pid));
      await until(() => this.#answers());
    };
  }

  async #answers(): Promise<boolean> {
    return fetch(this.url).then(
      () => true,
      () => false,
    );
  }

  #end(part: string): void {
    try {
      const pid = Number(readFileSync(join(this.#folder, `${part}.pid`), 'utf8'));
      if (pid > 0) process.kill(pid, 'SIGKILL'); // 0, of a file that is empty yet, is the group of the tests
    } catch {
      // it never started, or is gone
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
