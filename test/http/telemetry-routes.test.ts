import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import type { ReportSource } from '../../src/telemetry/fleet.ts';
import { telemetryRoutes } from '../../src/telemetry/routes.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { FakeTime, START_MS, settle } from '../support/fake-time.ts';
import { harness, OFF } from '../unit/telemetry/support.ts';

function serve(telemetry: Telemetry, reports?: ReportSource): FastifyInstance {
  const app = fastify({ exposeHeadRoutes: false });
  app.register(telemetryRoutes({ telemetry, clock: new FakeTime(), ...(reports === undefined ? {} : { reports }) }));
  return app;
}

async function running() {
  const h = harness();
  h.telemetry.start();
  await settle();
  return { ...h, app: serve(h.telemetry) };
}

describe('telemetry views as JSON', () => {
  it('preview is byte-identical to the next POST and changes nothing', async () => {
    const { telemetry, time, posts, app } = await running();
    telemetry.recorder.recordWrite(7, 3_000_000);
    await time.advance(3_599_999);
    const before = await app.inject('/api/v3/telemetry/preview');
    assert.equal(before.headers['content-type'], 'application/json');
    assert.equal(before.headers['cache-control'], 'no-store');
    for (let look = 0; look < 5; look += 1) assert.equal((await app.inject('/api/v3/telemetry/preview')).body, before.body);
    assert.equal(posts.length, 1);
    assert.equal(Buffer.compare(before.rawPayload, Buffer.from(telemetry.preview())), 0);
    await telemetry.stop();
  });

  it('preview right before a report with nothing in between equals its bytes', async () => {
    const h = harness({ readProcess: () => Promise.reject(new Error('cannot be read')) });
    const app = serve(h.telemetry);
    const preview = await app.inject('/api/v3/telemetry/preview');
    h.telemetry.start();
    await settle();
    assert.equal(h.posts[0], preview.body);
    await h.telemetry.stop();
  });

  it('status and log say what happened', async () => {
    const { telemetry, posts, app } = await running();
    const status = (await app.inject('/api/v3/telemetry/status')).json();
    assert.equal(status.state, 'on');
    assert.equal(status.sends_to, 'https://collector.example/telem');
    assert.equal(status.attempts, 1);
    assert.equal(status.next_report_at, '2026-01-02T04:04:05.000Z');
    const log = (await app.inject('/api/v3/telemetry/log')).json();
    assert.equal(log.length, 1);
    assert.equal(log[0].status, 204);
    assert.equal(log[0].body, posts[0]);
    await telemetry.stop();
  });

  it('log is newest first and takes a limit', async () => {
    const { telemetry, time, app } = await running();
    await time.advance(3 * 3_600_000);
    const times = (body: { time: string }[]): string[] => body.map((entry) => entry.time.slice(11, 16));
    assert.deepEqual(times((await app.inject('/api/v3/telemetry/log')).json()), ['06:04', '05:04', '04:04', '03:04']);
    assert.deepEqual(times((await app.inject('/api/v3/telemetry/log?limit=2')).json()), ['06:04', '05:04']);
    for (const limit of ['0', '1001', '-1', 'x', '']) {
      const answer = await app.inject(`/api/v3/telemetry/log?limit=${limit}`);
      assert.equal(answer.statusCode, 400, limit);
      assert.deepEqual(answer.json(), { error: 'limit must be a whole number from 1 to 1000' });
    }
    await telemetry.stop();
  });

  it('schema is JSON Schema', async () => {
    const { telemetry, app } = await running();
    const answer = await app.inject('/api/v3/telemetry/schema');
    assert.equal(answer.headers['content-type'], 'application/schema+json');
    assert.equal(answer.json().$schema, 'https://json-schema.org/draft/2020-12/schema');
    await telemetry.stop();
  });

  it('with telemetry off there is no preview, and the answer says why', async () => {
    const app = serve(harness({ resolution: OFF }).telemetry);
    const answer = await app.inject('/api/v3/telemetry/preview');
    assert.equal(answer.statusCode, 404);
    assert.deepEqual(answer.json(), {
      error: 'telemetry is off, so there is no next report: --disable-telemetry-upload is set, so nothing is collected or sent',
    });
    assert.equal((await app.inject('/api/v3/telemetry/status')).json().state, 'off');
  });
});

describe('page', () => {
  it('is complete without script: state, every field, charts, ledger', async () => {
    const { telemetry, time, app } = await running();
    await time.advance(30 * 60_000);
    const answer = await app.inject('/telemetry');
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    assert.ok(answer.body.includes('Telemetry is on'));
    for (const name of Object.keys(JSON.parse(Buffer.from(telemetry.preview()).toString('utf8')) as object)) {
      assert.ok(answer.body.includes(`<code>${name}</code>`), name);
    }
    assert.equal(answer.body.match(/<figure class="chart" data-points=/g)?.length, 4);
    assert.ok(answer.body.includes('answered 204'));
    await telemetry.stop();
  });

  it('its own rules forbid everything from elsewhere, and its style and script are files of the server', async () => {
    const { telemetry, app } = await running();
    const { headers, body } = await app.inject('/telemetry');
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; style-src 'self'; script-src 'self'; /);
    assert.ok(!policy.includes('unsafe'));
    for (const [path, type] of [
      ['/telemetry/page.js', 'text/javascript; charset=utf-8'],
      ['/telemetry/page.css', 'text/css; charset=utf-8'],
    ] as const) {
      assert.ok(body.includes(`="${path}"`), path);
      const file = await app.inject(path);
      assert.deepEqual([file.statusCode, file.headers['content-type']], [200, type]);
      assert.ok(!file.body.includes('http://') || path.endsWith('.js'), path);
    }
    assert.ok(!/<style|<script>|\s(?:style|on\w+)=/.test(body), 'no inline scripts or styles');
    assert.ok(!/(?:src|href)="(?!\/|#|data:)/.test(body), 'no links to elsewhere');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    await telemetry.stop();
  });

  it('all times are UTC, and the axes say their span', async () => {
    const { telemetry, time, app } = await running();
    await time.advance(130 * 60_000);
    const { body } = await app.inject('/telemetry');
    assert.ok(body.includes('All times on this page are UTC. Made at 2026-01-02 03:04.'));
    assert.equal(/made of: ([^.]*)\./.exec(body)?.[1], '2026-01-02 03:04 to 2026-01-02 05:14, 2 h 10 min');
    assert.equal(body.match(/<text class="tick middle"[^>]*>2 h 10 min<\/text>/g)?.length, 4);
    await telemetry.stop();
  });

  it('a receiver shows its fleet: servers, versions, writes a day, last seen', async () => {
    const at = (hoursAgo: number): bigint => BigInt(START_MS - hoursAgo * 3_600_000) * 1_000_000n;
    const midnight = (daysAgo: number): bigint => BigInt((Math.floor(START_MS / 86_400_000) - daysAgo) * 86_400_000) * 1_000_000n;
    const asked: string[] = [];
    const reports = (columns: readonly string[] | undefined): ReportSource => ({
      columns: (database, table) => {
        assert.deepEqual([database, table], ['telemetry', 'reports']);
        return columns === undefined ? undefined : new Set(columns);
      },
      rows: async (_database, sql) => {
        asked.push(sql);
        if (sql.includes('date_bin'))
          return [
            [midnight(2), 2n, 5n, 700n, 1n],
            [midnight(0), 1n, 9n, 1234n, 2n],
          ];
        return [
          ['node-<1>', 'influxdb3-3.10.0', 'linux', 7200n, at(48), at(1), 9n, 1234n, 2n],
          ['node-2', 'influxdb3-3.9.0', null, null, at(48), at(40), 0n, 0n, 0n],
        ];
      },
    });
    const { telemetry } = harness();
    const { body } = await serve(telemetry, reports(['version', 'os', 'write_lines_sum_1h'])).inject('/telemetry');
    const rows = [...body.matchAll(/<tr><th scope="row">(.*?)<\/tr>/g)].map(([, row]) =>
      row
        ?.replace(/<[^>]+>/g, ' ')
        .replace(/ +/g, ' ')
        .trim(),
    );
    assert.deepEqual(rows, [
      'influxdb3-3.10.0 1',
      'influxdb3-3.9.0 1',
      'node-&lt;1&gt; influxdb3-3.10.0 linux 2026-01-02 02:04 UTC 2 h 9 1,234 2',
      'node-2 influxdb3-3.9.0 2025-12-31 11:04 UTC quiet 0 min 0 0 0',
    ]);
    assert.ok(body.includes('today so far 1,234, most 1,234'));
    // Members that no report had are no columns of the table.
    assert.ok(asked.every((sql) => sql.includes('NULL AS query_requests_sum_1h') && !sql.includes('(query_requests_sum_1h')));
    assert.ok(asked.every((sql) => /sum\(.*write_lines_sum_1h/.test(sql)));
    const none = await serve(telemetry, reports(undefined)).inject('/telemetry');
    assert.match(none.body, /<h2 id="fleet">Fleet<\/h2>.*No reports yet/);
    const failing: ReportSource = { columns: () => new Set(), rows: () => Promise.reject(new Error('out of <memory>')) };
    const failed = await serve(telemetry, failing).inject('/telemetry');
    assert.ok(failed.body.includes('The reports cannot be read: out of &lt;memory&gt;'));
    assert.ok(!(await serve(telemetry).inject('/telemetry')).body.includes('id="fleet"'));
  });

  it('text from the ledger is escaped', async () => {
    const h = harness({ resolution: { ...OFF, reason: '<script>alert(1)</script>' } });
    const { body } = await serve(h.telemetry).inject('/telemetry');
    assert.ok(!body.includes('<script>alert'));
    assert.ok(body.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
  });

  it('with telemetry off it says so and why, and shows no charts', async () => {
    const { body } = await serve(harness({ resolution: OFF }).telemetry).inject('/telemetry');
    assert.ok(body.includes('Telemetry is off'));
    assert.ok(body.includes('--disable-telemetry-upload is set, so nothing is collected or sent.'));
    assert.ok(!body.includes('<svg viewBox="0 0 640'));
  });
});
