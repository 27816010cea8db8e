// `node test/tooling/real-plugins.mjs <checkout> [package …]`: runs public plugins for InfluxDB 3, unchanged, from a checkout of
// their repository (influxdata/influxdb3_plugins), each with arguments from its documentation, on real rows. Packages that are named are
// installed first, through the server. Fetches nothing else; without a checkout it says so.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './setup.mjs';

const [checkout, ...packages] = process.argv.slice(2);
if (checkout === undefined || !existsSync(join(checkout, 'influxdata'))) {
  process.stderr.write('give the path of a checkout of influxdata/influxdb3_plugins\n');
  process.exit(2);
}

const NOTIFY = `
import json
def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    influxdb3_local.info("notified", request_body.decode())
    return {"results": "ok"}
`;

const now = BigInt(Date.now()) * 1_000_000n;
const ago = (secs) => now - BigInt(secs) * 1_000_000_000n;
/** One line a second, oldest first. */
const series = (count, line) => Array.from({ length: count }, (_, at) => `${line(at)} ${ago(count - at)}`).join('\n');

/** Plugin, trigger, rows before and after its creation, those written while the test waits, and what must be there then. */
const cases = [
  {
    plugin: 'examples/wal_plugin/wal_plugin.py',
    spec: 'all_tables',
    args: { double_count_table: 'temperature' },
    after: ['temperature,room=a v=1\ntemperature,room=b v=2\nother v=1'],
    rows: 'SELECT table_name, row_count FROM write_reports ORDER BY table_name',
    check: (rows) => rows.some((row) => row.table_name === 'temperature' && row.row_count === 4),
  },
  {
    plugin: 'influxdata/signal_generator/signal_generator.py',
    spec: 'every:1s',
    args: { gap_enabled: 'false' },
    rows: 'SELECT count(*) AS n FROM signal',
    check: ([row]) => row?.n >= 2,
  },
  {
    plugin: 'influxdata/schema_validator/schema_validator.py',
    spec: 'all_tables',
    args: { schema_file: 'schema_validator_config.json', target_database: 'clean_db' },
    after: [
      'weather,location=us-east,station_id=1 temperature=20.5,humidity=40.0\nweather,location=moon,station_id=2 temperature=1.0,humidity=1.0',
    ],
    database: 'clean_db',
    rows: 'SELECT * FROM weather_clean',
    check: (rows) => rows.length === 1 && rows[0].location === 'us-east',
  },
  {
    plugin: 'influxdata/downsampler/downsampler.py',
    spec: 'every:2s',
    args: {
      source_measurement: 'cpu_metrics',
      target_measurement: 'cpu_hourly',
      interval: '1min',
      window: '1h',
      calculations: 'avg',
    },
    before: [series(600, (at) => `cpu_metrics,host=a usage_user=${at}.5,usage_system=${at}i`)],
    rows: 'SELECT * FROM cpu_hourly',
    check: (rows) => rows.length >= 9,
  },
  {
    plugin: 'influxdata/valuecounter/valuecounter.py',
    spec: 'table:http_requests',
    args: { fields: 'status method', period_seconds: '1' },
    after: [
      'http_requests,host=a status=200i,method="GET"\nhttp_requests,host=b status=200i,method="PUT"',
      'http_requests,host=a status=500i,method="GET"',
    ],
    // counts go out with the first write that comes when their period is over
    meanwhile: 'http_requests,host=a status=200i,method="GET"',
    rows: "SELECT table_name FROM information_schema.tables WHERE table_schema = 'iox' AND table_name NOT IN ('http_requests', 'begin')",
    check: (rows) => rows.length > 0,
  },
  {
    plugin: 'influxdata/mad_check/mad_check_plugin.py',
    spec: 'all_tables',
    args: { measurement: 'cpu', mad_thresholds: 'temp:2.5:20:2', senders: 'http', http_webhook_url: 'NOTIFY', port_override: 'PORT' },
    after: [
      ...Array.from({ length: 30 }, (_, at) => `cpu,host=a temp=${20 + (at % 3)}`),
      'cpu,host=a temp=900',
      'cpu,host=a temp=901',
      'cpu,host=a temp=902',
    ],
    log: /notified/,
  },
  {
    plugin: 'influxdata/state_change/state_change_check_plugin.py',
    spec: 'every:2s',
    args: {
      measurement: 'cpu',
      field_change_count: 'temp:3',
      window: '10min',
      senders: 'http',
      http_webhook_url: 'NOTIFY',
      port_override: 'PORT',
    },
    before: [series(10, (at) => `cpu,host=a temp=${at}`)],
    log: /notified/,
  },
  {
    plugin: 'influxdata/threshold_deadman_checks/threshold_deadman_checks_plugin.py',
    spec: 'every:2s',
    args: {
      measurement: 'cpu',
      senders: 'http',
      field_aggregation_values: 'temp:avg@>=30-ERROR',
      window: '10min',
      trigger_count: '1',
      deadman_check: 'true',
      http_webhook_url: 'NOTIFY',
      port_override: 'PORT',
    },
    before: [series(10, () => 'cpu,host=a temp=35')],
    log: /notified/,
  },
  {
    plugin: 'influxdata/basic_transformation/basic_transformation.py',
    spec: 'every:2s',
    args: {
      measurement: 'temperature',
      window: '24h',
      target_measurement: 'temperature_normalized',
      // without it, this plugin writes to a database called `default`
      target_database: 'DB',
      names_transformations: 'temp:"snake"',
      values_transformations: 'temp:"convert_degC_to_degF"',
    },
    before: [series(10, () => 'temperature,room=a temp=20')],
    rows: 'SELECT temp FROM temperature_normalized',
    check: (rows) => rows.length >= 9 && Math.abs(rows[0].temp - 68) < 0.01,
  },
  {
    plugin: 'influxdata/system_metrics/system_metrics.py',
    spec: 'every:2s',
    args: null,
    rows: "SELECT table_name FROM information_schema.tables WHERE table_schema = 'iox' AND table_name <> 'begin'",
    check: (rows) => rows.length > 0,
  },
  {
    plugin: 'influxdata/gapfill/gapfill.py',
    spec: 'every:2s',
    args: { source_measurement: 'raw', target_measurement: 'whole', interval: '1s', method: 'linear', mark_filled: 'true' },
    before: [
      series(45, (at) => `raw,room=a temp=${at}`)
        .split('\n')
        .filter((_, at) => at < 15 || at >= 30)
        .join('\n'),
    ],
    rows: 'SELECT count(*) AS n, sum(CASE WHEN filled THEN 1 ELSE 0 END) AS filled FROM whole',
    check: ([row]) => row?.n >= 44 && row.filled >= 14,
  },
  {
    plugin: 'influxdata/resampler/resampler.py',
    spec: 'every:2s',
    args: { measurement: 'uneven', target_measurement: 'even', interval: '2s', max_gap: '5s' },
    before: [series(60, (at) => `uneven,room=a temp=${at}.5,mode="on"`)],
    rows: 'SELECT count(*) AS n, count(DISTINCT mode) AS modes FROM even',
    check: ([row]) => row?.n >= 28 && row.modes === 1,
  },
  {
    plugin: 'influxdata/signal_filter/signal_filter.py',
    spec: 'all_tables',
    args: { input_measurement: 'wave', input_fields: 'v', sample_rate: '1', fc: '0.1', output_measurement: 'smooth' },
    after: [series(40, (at) => `wave,room=a v=${at % 2}`)],
    rows: 'SELECT count(v_filtered) AS n, max(v_filtered) AS most FROM smooth',
    check: ([row]) => row?.n === 40 && row.most < 0.9,
  },
  {
    plugin: 'influxdata/import/import.py',
    spec: 'request:import',
    args: null,
    before: [series(100, (at) => `cpu,host=a temp=${at},load=${at}i`)],
    request: {
      path: 'import?action=start',
      headers: { 'Source-Username': 'a', 'Source-Password': 'b' },
      body: { source_url: 'URL', influxdb_version: 1, source_database: 'DB', dest_database: 'imported' },
    },
    database: 'imported',
    rows: 'SELECT count(*) AS n FROM cpu',
    check: ([row]) => row?.n === 100,
  },
];

const LOG = 'SELECT log_level, log_text FROM system.processing_engine_logs';
const WAIT_MS = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'influxdb3-real-plugins-'));
const pluginDir = join(folder, 'plugins');
mkdirSync(pluginDir, { recursive: true });
for (const name of ['examples', 'influxdata']) cpSync(join(checkout, name), join(pluginDir, name), { recursive: true });
cpSync(join(checkout, 'influxdata', 'schema_validator', 'schema_validator_config.json'), join(pluginDir, 'schema_validator_config.json'));
const server = await start();
let failed = 0;
try {
  await post('/api/v3/plugins/files', { plugin_name: 'notify.py', content: NOTIFY });
  await write('notifications', 'start v=1');
  await create('notifications', 'notify', { plugin: 'notify.py', spec: 'request:notify', args: null });
  if (packages.length > 0) await post('/api/v3/configure/plugin_environment/install_packages', { packages });
  for (const [at, each] of cases.entries()) {
    const result = await run(`db${at}`, each);
    if (result !== 'passed') failed++;
    process.stdout.write(
      `${result === 'passed' ? 'passed' : 'FAILED'}  ${each.plugin}${result === 'passed' ? '' : `\n        ${result}`}\n`,
    );
  }
} finally {
  server.child.kill('SIGTERM');
  await new Promise((resolve) => server.child.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

async function run(database, each) {
  const seen = (await rows('notifications', LOG)).length;
  await write(database, 'begin v=1');
  for (const lines of each.before ?? []) await write(database, lines);
  await create(database, 'trigger', each);
  await delay(200);
  for (const lines of each.after ?? []) await write(database, lines);
  if (each.request !== undefined) await request(database, each.request);
  let last = '';
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await delay(250)) {
    if (each.meanwhile !== undefined) await write(database, each.meanwhile);
    try {
      if (each.log !== undefined) {
        const texts = (await rows('notifications', LOG)).slice(seen).map(({ log_text }) => log_text);
        if (texts.some((text) => each.log.test(text))) return await ended(database);
      } else if (each.check(await rows(each.database ?? database, each.rows))) return await ended(database);
    } catch (error) {
      last = error.message;
    }
  }
  const log = (await rows(database, `${LOG} ORDER BY event_time`)).map(({ log_level, log_text }) => `${log_level} ${log_text}`);
  const errors = log.filter((line) => line.startsWith('ERROR'));
  return [...new Set((errors.length > 0 ? errors : log).slice(-4)), last].join('\n        ');
}

async function ended(database) {
  await call('POST', `/api/v3/configure/processing_engine_trigger/disable?db=${database}&trigger_name=trigger`);
  return 'passed';
}

async function start() {
  const listener = join(folder, 'listener');
  const args = [
    'serve',
    '--node-id',
    'real',
    '--data-dir',
    folder,
    '--http-bind',
    '127.0.0.1:0',
    '--without-auth',
    '--disable-telemetry-upload',
  ];
  const env = {
    ...process.env,
    INFLUXDB3_AUTH_TOKEN: 'apiv3_none',
    PYTHONPATH: [join(checkout, 'influxdata-plugin-utils', 'src'), process.env.PYTHONPATH].filter(Boolean).join(delimiter),
  };
  const child = spawn(
    process.execPath,
    [join(root, 'bin', 'influxdb3.js'), ...args, '--plugin-dir', pluginDir, '--tcp-listener-file-path', listener],
    { env, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  while (!existsSync(listener) || readFileSync(listener, 'utf8') === '') await delay(20);
  return { child, address: readFileSync(listener, 'utf8') };
}

function filled(text, database) {
  const url = `http://${server.address}`;
  return text
    .replaceAll('NOTIFY', `${url}/api/v3/engine/notify`)
    .replaceAll('PORT', server.address.split(':').at(-1))
    .replaceAll('URL', url)
    .replaceAll('"DB"', `"${database}"`);
}

async function create(db, name, { args, plugin, spec }) {
  const given = args === null ? null : JSON.parse(filled(JSON.stringify(args), db));
  await post('/api/v3/configure/processing_engine_trigger', {
    db,
    plugin_filename: plugin,
    trigger_name: name,
    trigger_specification: spec,
    trigger_arguments: given,
  });
}

async function request(database, { body, headers, path }) {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: filled(JSON.stringify(body), database),
  };
  const response = await fetch(`http://${server.address}/api/v3/engine/${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
}

function write(db, lines) {
  return call('POST', `/api/v3/write_lp?db=${db}&precision=auto`, lines);
}

async function rows(db, q) {
  return JSON.parse(await call('POST', '/api/v3/query_sql', JSON.stringify({ db, q, format: 'json' })));
}

function post(path, body) {
  return call('POST', path, JSON.stringify(body), { 'content-type': 'application/json' });
}

async function call(method, path, body, headers = {}) {
  const response = await fetch(`http://${server.address}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}
