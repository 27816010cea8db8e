import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveEndpoint } from '../../../src/telemetry/endpoint.ts';
import { resolveTelemetry } from '../../../src/telemetry/resolve.ts';
import { settle } from '../../support/fake-time.ts';
import { harness } from './support.ts';

const OLD = 'INFLUXDB3_TELEMETRY_DISABLE_UPLOAD';
const NEW = 'INFLUXDB3_DISABLE_TELEMETRY_UPLOAD';

const DEFAULT = 'https://telemetry.v3.influxdata.com';

function resolve(env: Readonly<Record<string, string>>, flag = false, endpoint?: string) {
  return resolveTelemetry({
    disableFlag: flag,
    disableEnv: env[OLD],
    disableEnvNew: env[NEW],
    doNotTrack: env['DO_NOT_TRACK'],
    ci: env['CI'],
    endpoint: endpoint ?? DEFAULT,
    endpointExplicit: endpoint !== undefined,
  });
}

const stateOf = (env: Record<string, string>, flag = false, endpoint?: string): string => resolve(env, flag, endpoint).state;

describe('off switches', () => {
  it('is on by default and says where figures go and how to switch it off', () => {
    const resolution = resolve({});
    assert.equal(resolution.state, 'on');
    assert.equal(
      resolution.reason,
      'usage figures go to https://telemetry.v3.influxdata.com once an hour; --disable-telemetry-upload or INFLUXDB3_TELEMETRY_DISABLE_UPLOAD=true switches it off',
    );
    assert.deepEqual(resolution.target, { kind: 'usable', url: 'https://telemetry.v3.influxdata.com/telem' });
  });

  it('the flag switches it off', () => {
    const resolution = resolve({ [OLD]: 'false' }, true);
    assert.equal(resolution.state, 'off');
    assert.equal(resolution.reason, '--disable-telemetry-upload is set, so nothing is collected or sent');
  });

  it('both names of the variable switch it off, and any true wins', () => {
    for (const name of [OLD, NEW]) {
      for (const word of ['true', '1', 'yes', 'on', 't', 'y', ' TRUE ', 'Yes'])
        assert.equal(stateOf({ [name]: word }), 'off', `${name}=${word}`);
      for (const word of ['false', '0', 'no', 'off', 'f', 'n', '', ' ', 'False'])
        assert.equal(stateOf({ [name]: word }), 'on', `${name}=${word}`);
    }
    assert.equal(stateOf({ [OLD]: 'true', [NEW]: 'false' }), 'off');
    assert.equal(stateOf({ [OLD]: 'false', [NEW]: 'true' }), 'off');
  });

  it('a value that is neither true nor false switches it off with a warning that does not repeat it', () => {
    const resolution = resolve({ [OLD]: 'ture-secret' });
    assert.equal(resolution.state, 'off');
    assert.deepEqual(resolution.warnings, [`${OLD} has a value that is neither true nor false; telemetry is off to be safe`]);
    assert.ok(!JSON.stringify(resolution).includes('secret'));
  });

  it('DO_NOT_TRACK switches it off unless it is 0 or empty', () => {
    for (const value of ['1', 'true', 'false', 'anything']) assert.equal(stateOf({ DO_NOT_TRACK: value }), 'off', value);
    for (const value of ['0', '']) assert.equal(stateOf({ DO_NOT_TRACK: value }), 'on', value);
  });

  it('CI switches it off unless an endpoint was given', () => {
    assert.equal(stateOf({ CI: 'true' }), 'off');
    assert.equal(stateOf({ CI: '1' }), 'off');
    assert.equal(stateOf({ CI: '' }), 'on');
    assert.equal(stateOf({ CI: 'false' }), 'on');
    assert.equal(stateOf({ CI: 'true' }, false, 'http://127.0.0.1:9/'), 'on');
    assert.equal(stateOf({ CI: 'true' }, true, 'http://127.0.0.1:9/'), 'off');
  });
});

describe('endpoint', () => {
  it('joins ./telem as browsers do', () => {
    const joined = (base: string) => {
      const endpoint = resolveEndpoint(base);
      return endpoint.kind === 'usable' ? endpoint.url : endpoint.problem;
    };
    assert.equal(joined('https://telemetry.v3.influxdata.com'), 'https://telemetry.v3.influxdata.com/telem');
    assert.equal(joined('https://h/telemetry'), 'https://h/telem');
    assert.equal(joined('https://h/telemetry/'), 'https://h/telemetry/telem');
    assert.equal(joined('https://h:1/a/b?x=1#f'), 'https://h:1/a/telem');
    assert.equal(joined('http://127.0.0.1:9/x/'), 'http://127.0.0.1:9/x/telem');
  });

  it('https only; http only to this machine', () => {
    for (const base of ['https://h', 'http://localhost:1', 'http://127.0.0.1', 'http://127.9.8.7:3/', 'http://[::1]:8086']) {
      assert.equal(resolveEndpoint(base).kind, 'usable', base);
    }
    for (const base of [
      'http://h',
      'http://localhost.example',
      'http://128.0.0.1',
      'http://[::2]',
      'http://127.0.0.1.example',
      'ftp://localhost',
      'file:///x',
    ]) {
      assert.equal(resolveEndpoint(base).kind, 'unusable', base);
    }
  });

  it('user name and password of the endpoint are neither sent nor shown', () => {
    const resolution = resolve({}, false, 'https://bob:hunter2@h/p?token=x');
    assert.ok(!/bob|hunter2|token/.test(JSON.stringify(resolution)), JSON.stringify(resolution));
    assert.ok(!/hunter2/.test(JSON.stringify(resolve({}, false, 'http://bob:hunter2@far/'))));
  });

  for (const endpoint of ['localhost:9999', 'not a url', '', 'http://collector.example/']) {
    it(`an endpoint that cannot be used (${endpoint || 'empty'}) leaves the server running, logs once and never sends`, async () => {
      const { telemetry, time, logger, posts } = harness({ resolution: resolve({}, false, endpoint) });
      telemetry.start();
      await settle();
      await time.advance(3 * 3_600_000);
      assert.deepEqual(posts, []);
      assert.equal(logger.lines.filter((line) => line.level === 'error').length, 1);
      assert.equal(telemetry.status().state, 'on');
      assert.equal(telemetry.status().sends_to, null);
      assert.ok(telemetry.status().samples > 100, 'the sampler goes on');
      await telemetry.stop();
    });
  }
});
