import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostFacts } from '../../../src/config/index.ts';
import { chosenToken, embeddedConfig } from '../../../src/embed/config.ts';
import type { StartOptions } from '../../../src/embed/options.ts';

const facts: HostFacts = { hostname: 'box', homeDir: '/home/u', cwd: '/srv', cpuCount: 2, memoryTotalBytes: 1024 ** 3 };

function config(options: StartOptions, token?: string) {
  return embeddedConfig(options, token, facts);
}

function refusal(options: StartOptions): { name: string; message: string; exitCode: number } {
  try {
    config(options);
  } catch (error) {
    const { exitCode, message, name } = error as Error & { exitCode: number };
    return { name, message, exitCode };
  }
  throw new Error('not refused');
}

describe('configuration of a server in process', () => {
  it('without options: memory, loopback, any free port, no authentication, no telemetry, no log', () => {
    const { auth, http, log, node, store, telemetry } = config({});
    assert.equal(store.kind, 'memory');
    assert.deepEqual([http.host, http.port], ['127.0.0.1', 0]);
    assert.deepEqual([auth.enabled, telemetry.disableFlag, log.filter, node.id], [false, true, 'off', 'embedded']);
  });

  it('a data directory alone means the file store', () => {
    const { store } = config({ dataDir: 'd' });
    assert.deepEqual([store.kind, store.dataDir], ['file', '/srv/d']);
  });

  it('a token switches authentication on', () => {
    assert.equal(config({}, 'secret').auth.enabled, true);
  });

  it('takes IPv6 hosts and every other option of serve by its long name', () => {
    const { http, limits } = config({ host: '::1', port: 9, serveOptions: { 'max-databases': 7 } });
    assert.deepEqual([http.host, http.port, limits.maxDatabases], ['::1', 9, 7]);
  });

  it('refuses what does not fit together, with words that help', () => {
    const texts = [
      refusal({ objectStore: 'file' }),
      refusal({ objectStore: 'memory', dataDir: 'd' }),
      refusal({ serveOptions: { 'max-databses': 1 } }),
      refusal({ serveOptions: { 'data-dir': 'd' } }),
      refusal({ serveOptions: { 'max-databases': 'many' } }),
      refusal({ port: 70_000 }),
    ];
    assert.deepEqual(
      texts.map(({ exitCode, name }) => [name, exitCode]),
      texts.map(() => ['StartupError', 2]),
    );
    const messages = texts.map(({ message }) => message);
    assert.deepEqual(messages.slice(0, 4), [
      "objectStore 'file' needs dataDir",
      "objectStore 'memory' takes no dataDir",
      "serveOptions: influxdb3 serve has no option 'max-databses'; did you mean 'max-databases'?",
      "serveOptions: use dataDir instead of 'data-dir'",
    ]);
    assert.match(messages[4] ?? '', /'many'.*--max-databases/);
    assert.match(messages[5] ?? '', /127\.0\.0\.1:70000/);
  });

  it('a token is as given, made, or absent', () => {
    assert.equal(chosenToken(false), undefined);
    assert.equal(chosenToken('abc'), 'abc');
    assert.match(chosenToken(true) ?? '', /^apiv3_.{86}$/);
    assert.throws(() => chosenToken('a b'), {
      name: 'StartupError',
      message: 'token: give visible ASCII characters without spaces, or true',
    });
  });
});
