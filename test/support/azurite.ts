import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Agent, request as undiciRequest } from 'undici';
import { sharedKeyAuthorization } from '../../src/storage/objects/azure-signature.ts';
import type { BucketRequest } from '../../src/storage/objects/bucket-service.ts';
import { ensureNpmPackage } from '../tooling/ensure-npm-package.ts';
import { until } from './until.ts';

/** Account and key that every azurite has; both are public. */
export const AZURITE_ACCOUNT = 'devstoreaccount1';
export const AZURITE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Microsoft's emulator of Azure Blob Storage on loopback, with its blobs in memory. It checks signatures, and talks to nobody. */
export class Azurite {
  /** Of the account. */
  readonly endpoint: string;
  #containers = 0;

  private constructor(url: string) {
    this.endpoint = `${url}/${AZURITE_ACCOUNT}`;
  }

  /** @param args further flags of azurite */
  static async start(t: { after(fn: () => Promise<void>): void }, args: readonly string[] = []): Promise<Azurite> {
    const program = join(ensureNpmPackage('azurite'), 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js');
    const flags = ['--inMemoryPersistence', '--blobHost', '127.0.0.1', '--blobPort', '0', '--disableTelemetry', '--silent'];
    const child = spawn(process.execPath, [program, ...flags, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(async () => {
      child.kill('SIGKILL');
      await until(() => child.exitCode !== null || child.signalCode !== null);
    });
    return new Azurite(await address(child));
  }

  /** Makes a container; returns its name. */
  async container(): Promise<string> {
    const name = `container-${++this.#containers}`;
    const url = new URL(`${this.endpoint}/${name}`);
    const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2023-11-03' };
    const request: BucketRequest = { method: 'PUT', path: url.pathname, query: { restype: 'container' }, headers };
    const authorization = sharedKeyAuthorization(AZURITE_ACCOUNT, Buffer.from(AZURITE_KEY, 'base64'), request, 0);
    url.search = '?restype=container';
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    const answer = await undiciRequest(url, { method: 'PUT', headers: { ...headers, authorization }, dispatcher });
    assert.equal(answer.statusCode, 201, await answer.body.text());
    await dispatcher.destroy();
    return name;
  }

  /** Flags of a server that keeps its data in a container. */
  args(container: string): string[] {
    return [
      ...['--object-store', 'azure', '--bucket', container, '--azure-storage-account', AZURITE_ACCOUNT],
      ...['--azure-storage-access-key', AZURITE_KEY, '--azure-endpoint', this.endpoint, '--azure-allow-http'],
    ];
  }
}

async function address(child: ChildProcess): Promise<string> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (output += data.toString()));
  return until(() => {
    assert.equal(child.exitCode, null, `azurite ended:\n${output}`);
    return /successfully listens on (https?:\/\/[\d.:]+)/.exec(output)?.[1];
  });
}
