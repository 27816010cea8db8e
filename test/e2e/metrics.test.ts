import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sharedServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const read = (...path: string[]): string => readFileSync(join(root, 'docs', ...path), 'utf8');

const options = ['--wal-flush-interval', '50ms', '--wal-snapshot-size', '1', '--telemetry-receiver'];
const server = sharedServer({ args: options });

const metricsText = async (): Promise<string> => (await fetch(`${(await server()).url}/metrics`)).text();

/** Value of the first line of a metric. */
function figure(text: string, name: string): number {
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Names in expressions of Prometheus; words of its language and labels are not like them. */
function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\b(?:influxdb3|http|grpc|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name));
}

describe('metrics', () => {
  it('docs/operations.md has a row for each, with its type and its meaning, and none besides', async () => {
    const text = await metricsText();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
    const rows = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, help]) => `| \`${name}\` | ${types.get(name)} | ${help} |`);
    const documented = read('operations.md')
      .split('\n')
      .filter((line) => /^\| `[a-z0-9_]+` \| (?:gauge|counter|histogram) \|/.test(line))
      .filter((line) => process.platform === 'linux' || !/`process_(?:open|max)_fds`/.test(line));
    assert.deepEqual(documented, rows.sort());
    assert.ok(rows.length > 60);
  });

  it('alert rules and the Grafana dashboard name only metrics that there are', async () => {
    const text = await metricsText();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => [name, type]));
    const known = (name: string): boolean => types.has(name) || types.get(name.replace(/_(?:bucket|sum|count)$/, '')) === 'histogram';
    const dashboard = JSON.parse(read('examples', 'grafana-dashboard.json')) as Dashboard;
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    for (const [file, used] of [
      ['alerts.yaml', namesIn(read('examples', 'alerts.yaml'))],
      ['grafana-dashboard.json', namesIn(expressions.join('\n'))],
    ] as const) {
      assert.deepEqual(
        [...used].filter((name) => !known(name)),
        [],
        file,
      );
      assert.ok(used.size >= 10, file);
    }
    // A rate of what may fall is nonsense, and so is the plain value of what only grows.
    for (const expression of expressions) {
      const rated = [...expression.matchAll(/(?:rate|increase)\((\w+)/g)].map(([, name = '']) => name);
      for (const name of rated) assert.ok(types.get(name) !== 'gauge', `${name} in ${expression}`);
      for (const name of namesIn(expression))
        if (types.get(name) === 'counter') assert.ok(rated.includes(name), `${name} in ${expression}`);
    }
  });

  it('the dashboard is one that Grafana can import', () => {
    const dashboard = JSON.parse(read('examples', 'grafana-dashboard.json')) as Dashboard;
    assert.deepEqual([dashboard.id, dashboard.__inputs[0]?.pluginId, dashboard.schemaVersion >= 36], [null, 'prometheus', true]);
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    const taken = new Set<string>();
    for (const { gridPos, id, targets = [], title, type } of dashboard.panels) {
      assert.ok(Number.isInteger(id) && title !== '' && ['row', 'stat', 'timeseries'].includes(type), title);
      assert.ok(type === 'row' || targets.length > 0, title);
      assert.deepEqual(
        targets.filter(({ datasource }) => datasource.uid !== '${DS_PROMETHEUS}'),
        [],
        title,
      );
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(x < 24 && !taken.has(`${x} ${y}`), `${title} lies on another panel`);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  it('tell of the log, of snapshots and of caches', async () => {
    const { url, writeOk } = await server().then((one) => ({ url: one.url, writeOk: one.writeOk.bind(one) }));
    const before = Date.now() / 1000;
    const cache = { db: 'figures', table: 'm', name: 'newest' };
    await writeOk('figures', 'm,t=a v=0i 1');
    const headers = { 'content-type': 'application/json' };
    const made = await fetch(`${url}/api/v3/configure/last_cache`, { method: 'POST', body: JSON.stringify(cache), headers });
    assert.equal(made.status, 201, await made.text());
    let text = '';
    for (let i = 1; figure(text, 'influxdb3_snapshots_total') < 1 || text === ''; i++) {
      assert.ok(i < 2000, text);
      await writeOk('figures', `m,t=a v=${i}i ${i}`);
      text = await metricsText();
    }
    assert.ok(figure(text, 'influxdb3_snapshot_last_timestamp_seconds') >= Math.floor(before), text);
    assert.ok(figure(text, 'influxdb3_snapshot_last_duration_seconds') > 0);
    assert.ok(figure(text, 'influxdb3_snapshot_seconds_total') > 0);
    assert.equal(figure(text, 'influxdb3_snapshot_failures_total'), 0);
    assert.ok(text.includes('influxdb3_value_caches{kind="last"} 1\n') && text.includes('influxdb3_value_cache_entries{kind="last"} 1\n'));
    await writeOk('figures', 'm,t=a v=9i 9');
    await until(async () => {
      text = await metricsText();
      return figure(text, 'influxdb3_wal_files') > 0 && figure(text, 'influxdb3_wal_age_seconds') > 0;
    });
    assert.ok(figure(text, 'influxdb3_wal_size_bytes') > 0);
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_heap_size_used_bytes',
      'influxdb3_data_free_bytes',
      'influxdb3_data_capacity_bytes',
    ])
      assert.ok(figure(text, name) > 1e6, name);
    assert.ok(figure(text, 'influxdb3_data_free_bytes') <= figure(text, 'influxdb3_data_capacity_bytes'));
    if (process.platform === 'linux') assert.ok(figure(text, 'process_max_fds') > figure(text, 'process_open_fds'));
  });
});

interface Dashboard {
  readonly __inputs: readonly { readonly pluginId: string }[];
  readonly id: null;
  readonly schemaVersion: number;
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
    readonly targets?: readonly { readonly expr: string; readonly refId: string; readonly datasource: { readonly uid: string } }[];
  }[];
}
