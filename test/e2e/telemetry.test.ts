import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FIELDS } from '../../src/telemetry/fields.ts';
import { readLedgerFile } from '../../src/telemetry/ledger.ts';
import { reportLine } from '../../src/telemetry/report-line.ts';
import { readReport } from '../../src/telemetry/report-reader.ts';
import { BIN, startServer, testDirectory, usedDirectories } from '../support/server.ts';
import { until } from '../support/until.ts';
import { harness } from '../unit/telemetry/support.ts';

const usedDirectory = usedDirectories();
const otherUsedDirectory = usedDirectories();

/** An endpoint on this machine that remembers what it got. */
async function collector(t: TestContext, answer: 'answer' | 'hang' = 'answer') {
  const reports: { headers: string[]; body: string }[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      reports.push({ headers: Object.keys(request.headers).sort(), body: Buffer.concat(chunks).toString('utf8') });
      if (answer === 'answer') response.writeHead(204).end();
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, reports, connections: () => connections };
}

const on = (endpoint: string): string[] => ['--without-auth', '--telemetry-endpoint', endpoint];
const ledgerPath = (directory: string): string => join(directory, 'test', 'telemetry', 'ledger.jsonl');

test('the first report of a later start leaves at once, with real figures and no other header than three', async (t) => {
  const { url, reports } = await collector(t);
  const server = await startServer(t, await usedDirectory(t), { bare: true, args: on(url) });
  await until(() => reports.length === 1);
  assert.deepEqual(reports[0]?.headers, ['accept', 'content-length', 'host']);
  const payload = JSON.parse(reports[0]?.body ?? '') as Record<string, unknown>;
  assert.deepEqual(
    Object.keys(payload),
    FIELDS.map((field) => field.name),
  );
  const ping = await fetch(`${server.url}/ping`);
  assert.equal(payload['cluster_uuid'], ping.headers.get('cluster-uuid'));
  assert.match(String(payload['version']), /^influxdb3-3\.10\.0/);
  assert.equal(payload['os'], process.platform === 'linux' ? 'linux' : payload['os']);
  assert.equal(payload['cpu_utilization_percent_max_1m'], 0);
  assert.ok(Number(payload['memory_used_mb_max_1m']) > 20);
  assert.equal(payload['storage_type'], 'file');
});

test('a restart keeps both ids and the ledger; an empty directory gives new ids; nothing is sent at shutdown', async (t) => {
  const { url, reports } = await collector(t);
  const directory = await usedDirectory(t);
  const identity = (index: number): unknown[] => {
    const payload = JSON.parse(reports[index]?.body ?? '{}') as Record<string, unknown>;
    return [payload['instance_id'], payload['cluster_uuid']];
  };
  const first = await startServer(t, directory, { bare: true, args: on(url) });
  await until(() => reports.length === 1);
  await first.writeOk('db', 'm v=1');
  assert.equal(await first.kill('SIGTERM'), 0);
  assert.equal(reports.length, 1);
  const second = await startServer(t, directory, { bare: true, args: on(url) });
  await until(() => reports.length === 2);
  await until(() => readFileSync(ledgerPath(directory), 'utf8').trim().split('\n').length === 4);
  await second.kill('SIGKILL');
  assert.deepEqual(identity(1), identity(0));
  const ledger = await readLedgerFile(ledgerPath(directory));
  assert.deepEqual(
    ledger.map((entry) => [entry.status, entry.body]),
    reports.map((report) => [204, report.body]),
  );
  await startServer(t, await otherUsedDirectory(t), { bare: true, args: on(url) });
  await until(() => reports.length === 3);
  assert.notEqual(identity(2)[0], identity(0)[0]);
  assert.notEqual(identity(2)[1], identity(0)[1]);
});

test('an endpoint that hangs neither delays the server nor its end, and the attempt is in the ledger', async (t) => {
  const { url, reports } = await collector(t, 'hang');
  const directory = await usedDirectory(t);
  const server = await startServer(t, directory, { bare: true, args: on(url) });
  await until(() => reports.length === 1);
  await server.writeOk('db', 'm v=1');
  assert.equal(await server.kill('SIGTERM'), 0);
  const [entry] = await readLedgerFile(ledgerPath(directory));
  assert.equal(entry?.body, reports[0]?.body);
  // The other one where the write took longer than an endpoint may.
  assert.match(entry?.error ?? '', /^(?:the server is stopping|no answer within 10 s)$/);
});

test('a kill -9 while a report is under way leaves the bytes in the ledger', async (t) => {
  const { url, reports } = await collector(t, 'hang');
  const directory = await usedDirectory(t);
  const server = await startServer(t, directory, { bare: true, args: on(url) });
  await until(() => reports.length === 1);
  await server.kill('SIGKILL');
  const [entry] = await readLedgerFile(ledgerPath(directory));
  assert.equal(entry?.body, reports[0]?.body);
  assert.equal(entry?.error, 'the server stopped before the outcome was known');
});

test('telemetry preview in a pipe is the next report byte for byte, and looking changes nothing', async (t) => {
  const endpoint = await collector(t);
  const server = await startServer(t, await usedDirectory(t), { bare: true, args: on(endpoint.url) });
  await until(() => endpoint.reports.length === 1);
  const look = (): string =>
    spawnSync(process.execPath, [BIN, 'telemetry', 'preview', '--host', server.url], { encoding: 'utf8' }).stdout.replace(
      /"uptime_secs":\d+/,
      '',
    );
  const first = look();
  assert.match(first, /^\{"os":"[a-z]+".*\}$/);
  assert.equal(first.endsWith('\n'), false);
  assert.equal(look(), first);
  assert.equal(endpoint.reports.length, 1);
});

test('the test endpoint shows the payload in test mode only', async (t) => {
  const { url, connections } = await collector(t);
  const directory = await testDirectory(t);
  const off = ['--without-auth', '--disable-telemetry-upload', '--telemetry-endpoint', url];
  const plain = await startServer(t, directory, { bare: true, args: off });
  const refused = await fetch(`${plain.url}/api/v3/test/telemetry_snapshot`);
  assert.equal(refused.status, 404);
  assert.equal(await refused.text(), 'Not found');
  await plain.kill('SIGTERM');
  const server = await startServer(t, directory, { bare: true, args: [...off, '--test-mode'] });
  const answer = await fetch(`${server.url}/api/v3/test/telemetry_snapshot`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  assert.equal(((await answer.json()) as Record<string, unknown>)['storage_engine_type'], 'parquet');
  assert.equal(connections(), 0);
});

test('names of databases, tables, tags, values and nodes do not occur in what a server says about itself', async (t) => {
  const { url, reports } = await collector(t);
  const server = await startServer(t, await usedDirectory(t), { bare: true, args: [...on(url), '--test-mode'] });
  await server.writeOk('zq_customer_db', 'zq_table,zq_tag=zq_tag_value zq_field="zq_text" 1');
  await server.rows('zq_customer_db', "SELECT zq_field FROM zq_table WHERE zq_tag = 'zq_tag_value'");
  const snapshot = await (await fetch(`${server.url}/api/v3/test/telemetry_snapshot`)).text();
  await until(() => reports.length === 1);
  for (const text of [snapshot, reports[0]?.body ?? '']) {
    assert.ok(text.startsWith('{"os":'));
    assert.ok(!text.includes('zq_'), text);
  }
});

test('the start line is there with -vv and not with -v', async (t) => {
  const line = 'Initializing TelemetryStore with upload disabled.';
  const quiet = await startServer(t, await testDirectory(t), { args: ['-v'] });
  await quiet.kill('SIGTERM');
  assert.ok(!quiet.output.includes(line));
  const talkative = await startServer(t, await testDirectory(t), { args: ['-vv'] });
  await talkative.kill('SIGTERM');
  assert.ok(talkative.output.includes(line), talkative.output);
});

test('collected reports are rows, and the three queries of docs/telemetry.md answer', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const read = readReport(Buffer.from(harness().telemetry.preview()).toString('utf8'));
  assert.ok(read.kind === 'accepted');
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  for (let hour = 0n; hour < 3n; hour += 1n)
    await server.writeOk('telemetry', reportLine(read.report, nowNs - hour * 3_600_000_000_000n), '&precision=nanosecond');
  const docs = readFileSync(resolve(fileURLToPath(import.meta.url), '../../../../../docs/telemetry.md'), 'utf8');
  const queries = [...docs.matchAll(/^SELECT[^;]*;/gm)].map((match) => match[0].slice(0, -1));
  assert.equal(queries.length, 3);
  const [versions, busiest, days] = await Promise.all(queries.map((query) => server.rows('telemetry', query)));
  assert.deepEqual(versions, [{ version: 'influxdb3-3.10.0', os: 'linux', servers: 1 }]);
  assert.deepEqual(busiest, [{ instance_id: '0c5c3f0e-5d0c-4a5e-9a53-0f3f2c1b7a10', busiest_percent: 0, memory_mib: 0 }]);
  assert.deepEqual(Object.keys(days?.[0] ?? {}), ['day', 'lines', 'mb', 'queries']);
});

test('on the first start of a directory nothing leaves for an hour', async (t) => {
  const { url, connections } = await collector(t);
  const server = await startServer(t, await testDirectory(t), { bare: true, args: on(url) });
  const status = (await (await fetch(`${server.url}/api/v3/telemetry/status`)).json()) as Record<string, string>;
  assert.equal(status['state'], 'on');
  assert.ok(Date.parse(status['next_report_at'] ?? '') - Date.now() > 3_000_000, status['next_report_at']);
  await until(async () => {
    const { samples } = (await (await fetch(`${server.url}/api/v3/telemetry/status`)).json()) as Record<string, unknown>;
    return samples === 1 ? true : undefined;
  });
  assert.equal(connections(), 0);
});

test('telemetry off holds at once and after restarts, on takes it back, reset-id gives new ids', async (t) => {
  const { url, reports, connections } = await collector(t);
  const directory = await usedDirectory(t);
  const cli = (server: { readonly url: string }, command: string): string => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [BIN, 'telemetry', command, '--host', server.url], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const first = await startServer(t, directory, { bare: true, args: on(url) });
  await until(() => reports.length === 1);
  assert.match(cli(first, 'off'), /^telemetry +off: `influxdb3 telemetry off` was given, so nothing is collected or sent\n/);
  assert.match(await (await fetch(`${first.url}/metrics`)).text(), /^influxdb3_telemetry_enabled 0$/m);
  await first.kill('SIGKILL');
  const seen = connections();
  const second = await startServer(t, directory, { bare: true, args: on(url) });
  await second.says(/telemetry +off: `influxdb3 telemetry off` was given/);
  assert.match(cli(second, 'reset-id'), /^telemetry +off/);
  assert.match(cli(second, 'on'), /^telemetry +on: usage figures go to/);
  assert.equal(connections(), seen);
  await second.kill('SIGTERM');
  await startServer(t, directory, { bare: true, args: on(url) });
  await until(() => reports.length === 2);
  const [before, after] = reports.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  assert.notEqual(after?.['instance_id'], before?.['instance_id']);
  assert.notEqual(after?.['cluster_uuid'], before?.['cluster_uuid']);
  const flagged = await startServer(t, await usedDirectory(t), { args: ['--telemetry-endpoint', url] });
  assert.match(cli(flagged, 'on'), /^telemetry +off: --disable-telemetry-upload is set/);
});

test('settings that cannot be read mean off', async (t) => {
  const { url, connections } = await collector(t);
  const directory = await usedDirectory(t);
  mkdirSync(join(directory, 'test', 'telemetry'), { recursive: true });
  writeFileSync(join(directory, 'test', 'telemetry', 'settings.json'), '{"off": "maybe');
  const server = await startServer(t, directory, { bare: true, args: on(url) });
  await server.says(/telemetry +off: /);
  assert.equal(connections(), 0);
});
