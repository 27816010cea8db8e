import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, describe, it } from 'node:test';
import type { RunningServer, StartupInfo } from '../../../src/app/contract.ts';
import { announceFiles } from '../../../src/cli/serve/ready-files.ts';
import { stopOnSignals } from '../../../src/cli/serve/signals.ts';
import { formatStartup, readinessLine } from '../../../src/cli/startup-text.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { cli } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'serve-'));
after(() => rmSync(folder, { recursive: true }));

const info: StartupInfo = {
  url: 'http://127.0.0.1:8181',
  address: '0.0.0.0:8181',
  dataDir: '/var/lib/influxdb3/node0',
  nodeId: 'node0',
  telemetry: { state: 'off', reason: 'DO_NOT_TRACK is set' },
  authEnabled: true,
  hasAdminToken: false,
  remoteFirstToken: false,
  otherNodes: [],
  startupMs: 42,
  product: 'influxdb3 X, 1, revision y',
};

describe('start-up text', () => {
  it('says where it listens, where the data is, and whether telemetry is on and why', () => {
    assert.equal(
      formatStartup(info),
      [
        'influxdb3 X, 1, revision y',
        '  listening  http://127.0.0.1:8181 (all interfaces)',
        '  data       /var/lib/influxdb3/node0',
        '  node       node0',
        '  auth       on: make the first token on this machine with `influxdb3 create token --admin`',
        '  telemetry  off: DO_NOT_TRACK is set',
      ].join('\n'),
    );
  });

  it('warns about memory and about open doors', () => {
    const text = formatStartup({ ...info, dataDir: undefined, authEnabled: false, address: '127.0.0.1:8181' });
    assert.match(text, /data {7}in memory only, gone when the server ends/);
    assert.match(text, /auth {7}off: everybody who reaches the port may read and write/);
    assert.ok(!text.includes('all interfaces'));
  });

  it('names the way to the first token on another port, and who can make it', () => {
    const command = '`influxdb3 create token --admin --host http://127.0.0.1:9000`';
    const text = (remoteFirstToken: boolean): string => formatStartup({ ...info, url: 'http://127.0.0.1:9000', remoteFirstToken });
    assert.ok(text(false).includes(`on: make the first token on this machine with ${command}\n`), text(false));
    assert.ok(text(true).includes(`on: whoever reaches the port first can make the first token: ${command}\n`), text(true));
  });

  it('says whose data lies beside a node that is new', () => {
    assert.match(
      formatStartup({ ...info, otherNodes: ['old-box'] }),
      /\n\nNOTICE: node node0 is new and empty\. The data directory has data of node old-box, which this server does not show: start it with --node-id old-box for that data\.\n$/,
    );
    const many = formatStartup({ ...info, otherNodes: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] });
    assert.match(many, /data of nodes a, b, c, d, e and 2 more, which this server/);
  });

  it('has a readiness line of one shape', () => {
    assert.equal(readinessLine('http://127.0.0.1:8181', 7), 'influxdb3 ready url=http://127.0.0.1:8181 pid=7');
  });
});

describe('signals', () => {
  function watch() {
    const time = { ms: 0 };
    const exits: number[] = [];
    const said: string[] = [];
    let stops = 0;
    const host = Object.assign(new EventEmitter(), {
      exit: (code?: number): never => {
        exits.push(code ?? 0);
        return undefined as never;
      },
    });
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        said.push(chunk.toString());
        done();
      },
    });
    const server: RunningServer = {
      url: '',
      closed: Promise.resolve(),
      failed: new Promise<never>(() => undefined),
      stop: async () => {
        stops += 1;
      },
    };
    const signals = stopOnSignals({ logger: silentLogger, stderr, process: host as unknown as NodeJS.Process, monotonicMs: () => time.ms });
    return { host, signals, server, exits, said, time, stops: () => stops };
  }

  it('the first stops the server, the second ends the process with a message', () => {
    const { host, signals, server, exits, said, time, stops } = watch();
    signals.attach(server);
    host.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual([stops(), exits], [1, []]);
    time.ms = 1000;
    host.emit('SIGINT', 'SIGINT');
    assert.deepEqual(exits, [130]);
    assert.match(said.join(''), /^Second signal \(SIGINT\): ending at once/);
  });

  it('those of the same second are one wish: the terminal and npm both send theirs', () => {
    const { host, signals, server, exits, said, time, stops } = watch();
    signals.attach(server);
    for (const ms of [0, 0, 5, 999]) {
      time.ms = ms;
      host.emit('SIGINT', 'SIGINT');
    }
    assert.deepEqual([stops(), exits, said], [1, [], []]);
  });

  it('a signal during the start stops the server as soon as it is there', () => {
    const { host, signals, server, stops } = watch();
    host.emit('SIGINT', 'SIGINT');
    assert.equal(stops(), 0);
    signals.attach(server);
    assert.equal(stops(), 1);
  });

  it('leaves no listeners behind', () => {
    const { host, signals } = watch();
    signals.dispose();
    assert.deepEqual([host.listenerCount('SIGINT'), host.listenerCount('SIGTERM')], [0, 0]);
  });
});

describe('files that announce the address', () => {
  it('the address file must be new and has no newline', () => {
    const file = join(folder, 'address');
    const files = announceFiles({ readyFile: undefined, checkOnly: false, tcpListenerFile: file, recoveryTcpListenerFile: undefined });
    files.ready(info);
    assert.equal(readFileSync(file, 'utf8'), '0.0.0.0:8181');
    assert.throws(() => files.ready(info), { name: 'StartupError', message: 'Server error: io error: File exists (os error 17)' });
  });

  it('the ready file holds the address and goes away at the end', () => {
    const file = join(folder, 'ready');
    const files = announceFiles({ readyFile: file, checkOnly: false, tcpListenerFile: undefined, recoveryTcpListenerFile: undefined });
    files.ready(info);
    assert.equal(readFileSync(file, 'utf8'), 'http://127.0.0.1:8181\n');
    files.remove();
    files.remove();
    assert.equal(existsSync(file), false);
  });
});

describe('serve --check', () => {
  it('says what would be used, without secrets, and starts nothing', async () => {
    const { code, stdout, stderr } = await cli(['serve', '--check', '--node-id', 'n', '--data-dir', folder, '--http-bind', '[::1]:0'], {
      env: { AWS_SECRET_ACCESS_KEY: 'very-secret', DO_NOT_TRACK: '1' },
    });
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^configuration is valid\n {2}node {7}n\n {2}listen {5}http:\/\/\[::1\]:0\n/);
    assert.ok(stdout.includes(folder));
    assert.match(stdout, /\n {2}telemetry {2}off: .*DO_NOT_TRACK/);
    assert.ok(!stdout.includes('very-secret'));
  });

  it('says in which bucket the data would be', async () => {
    const azure = ['--object-store', 'azure', '--azure-storage-account', 'ours', '--azure-storage-access-key', 'very-secret'];
    for (const [args, place] of [
      [['--object-store', 's3'], 's3://b/n'],
      [azure, 'https://ours.blob.core.windows.net/b/n'],
      [['--object-store', 'google'], 'gs://b/n'],
    ] as const) {
      const { code, stdout } = await cli(['serve', '--check', '--node-id', 'n', '--bucket', 'b', '--file-cache-dir', '/cache', ...args]);
      assert.equal(code, 0);
      assert.ok(stdout.includes(`\n  data       ${place}, files cached in /cache\n`), stdout);
      assert.ok(!stdout.includes('very-secret'));
    }
  });

  it('bare options are a quick start', async () => {
    const { code, stdout, stderr } = await cli(['--num-io-threads', '2', '--object-store', 'memory', '--check']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /store {6}memory/);
    assert.match(stderr, /^Using auto-generated node id: .+-node\. For production deployments, explicitly set --node-id\n$/);
  });

  it('start errors are one line and exit code 1', async () => {
    const { code, stdout, stderr } = await cli(['serve', '--check', '--tls-key', 'k']);
    assert.deepEqual(
      [code, stdout, stderr],
      [1, '', 'Serve command failed: tls requires both a cert and a key file to be passed in to work\n'],
    );
  });

  it('an unusable log filter is a start error', async () => {
    const { code, stderr } = await cli(['serve', '--node-id', 'n', '--object-store', 'memory', '--log-filter', 'a=b=c']);
    assert.equal(code, 1);
    assert.match(stderr, /^Serve command failed: Initializing logs failed: invalid log filter directive 'a=b=c'/);
  });
});
