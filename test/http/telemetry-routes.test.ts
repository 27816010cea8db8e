import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { telemetryRoutes } from '../../src/telemetry/routes.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { settle } from '../support/fake-time.ts';
import { harness, OFF } from '../unit/telemetry/support.ts';

function serve(telemetry: Telemetry): FastifyInstance {
  const app = fastify({ exposeHeadRoutes: false });
  app.register(telemetryRoutes({ telemetry }));
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

  it('its own rules forbid everything from elsewhere, and its style and script are the ones that the rules name', async () => {
    const { telemetry, app } = await running();
    const { headers, body } = await app.inject('/telemetry');
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; /);
    for (const tag of ['style', 'script']) {
      const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(body)?.[1] ?? '';
      assert.ok(policy.includes(`${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`), tag);
    }
    assert.ok(!/\s(?:style|on\w+)=/.test(body.replace(/<script>[\s\S]*<\/script>/, '')), 'no inline handlers or styles');
    assert.ok(!/(?:src|href)="(?!\/|#|data:)/.test(body), 'no links to elsewhere');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    await telemetry.stop();
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
