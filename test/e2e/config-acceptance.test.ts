import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestServer, testDirectory } from '../support/server.ts';
import { runProgram } from './cli-support.ts';

async function status(server: TestServer, path: string): Promise<number> {
  const response = await fetch(`${server.url}${path}`);
  await response.arrayBuffer();
  return response.status;
}

describe('configuration of a real server', () => {
  it('check 4: a gen1 duration given later changes nothing and is warned of', async (t) => {
    const dir = await testDirectory(t);
    const first = await TestServer.start(dir, { args: ['--gen1-duration', '1m', '--wal-snapshot-size', '1'] });
    await first.kill();
    const restless = ['--wal-flush-interval', '5ms', '--wal-snapshot-size', '1'];
    const server = await TestServer.start(dir, { args: ['--gen1-duration', '10m', ...restless] });
    t.after(() => server.kill('SIGKILL'));
    await server.says(/WARN .*cannot change the existing gen1 duration after it has been set existing_secs=60 provided_secs=600/);
    // Ten rows a minute: files of ten minutes would span more than one.
    const files = `${server.url}/api/v3/query_sql?db=d&q=${encodeURIComponent('SELECT min_time, max_time FROM system.parquet_files')}`;
    let spans: { min_time: number; max_time: number }[] = [];
    for (let second = 0; spans.length < 5; second += 6) {
      const body = `m v=${second} ${second}`;
      const written = await fetch(`${server.url}/api/v3/write_lp?db=d&precision=second`, { method: 'POST', body });
      assert.equal(written.status, 204);
      if (second % 600 === 0) spans = (await (await fetch(files)).json()) as typeof spans;
    }
    for (const { min_time, max_time } of spans) {
      assert.equal(Math.floor(min_time / 60e9), Math.floor(max_time / 60e9), `one minute: ${min_time} to ${max_time}`);
    }
  });

  it('check 5: --disable-authz opens the paths that it names, no other', async (t) => {
    const dir = await testDirectory(t);
    const server = await TestServer.start(dir, { bare: true, args: ['--disable-authz', 'health,ping', '--disable-telemetry-upload'] });
    t.after(() => server.kill('SIGKILL'));
    assert.equal(await status(server, '/health'), 200);
    assert.equal(await status(server, '/ping'), 200);
    assert.equal(await status(server, '/metrics'), 401);
    assert.equal(await status(server, '/api/v3/query_sql?db=d&q=SELECT+1'), 401);
  });

  it('check 12: a debug filter is logged with the quiet modules in it, or without them when that is switched off', async (t) => {
    const dir = await testDirectory(t);
    const quiet = await TestServer.start(dir, { args: ['--log-filter', 'debug'] });
    await quiet.kill();
    await quiet.says(/log_filter_active log_filter=.*reqwest=info/);
    const noisy = await TestServer.start(dir, { args: ['--log-filter', 'debug', '--disable-log-filter-noise-reduction'] });
    await noisy.kill();
    await noisy.says(/log_filter_active/);
    assert.doesNotMatch(noisy.output, /reqwest=info/);
  });

  it('`debug catalog` says that it is not there and what to use', async (t) => {
    const cwd = await testDirectory(t);
    const ended = await runProgram(['debug', 'catalog', 'list'], { cwd });
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^Debug command failed: reading catalog files offline is not available/);
  });
});
