import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { FIELDS } from '../../src/telemetry/fields.ts';
import { telemetryRoutes } from '../../src/telemetry/routes.ts';
import { settle } from '../support/fake-time.ts';
import { ensureDebianPackage } from '../tooling/ensure-debian-package.ts';
import { type Harness, harness, OFF } from '../unit/telemetry/support.ts';

const program = ensureDebianPackage('chromium', 'chromium');
const skip = program.kind === 'missing';
const note = program.kind === 'missing' ? ` (skipped: ${program.reason})` : '';

const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  );

describe(`telemetry page in a browser${note}`, { skip }, () => {
  let browser: Browser;
  let h: Harness;
  let app: FastifyInstance;

  before(async () => {
    if (program.kind === 'missing') return;
    browser = await chromium.launch({ executablePath: program.path, args: FLAGS });
    h = harness({ readProcess: async () => ({ cpuPercent: 12.5, rssBytes: 200 * 1_048_576 }) });
    h.telemetry.start();
    await settle();
    for (let minute = 0; minute < 130; minute += 1) {
      h.telemetry.recorder.recordWrite(100, 50_000);
      h.outcome = minute < 59 ? { kind: 'answered', status: 204 } : { kind: 'failed', error: 'ECONNREFUSED' };
      await h.time.advance(60_000);
    }
    app = await serve(h);
  });

  after(async () => {
    await browser?.close();
    await app?.close();
    await h?.telemetry.stop();
  });

  /** Opens the page, fails on anything that the console or the security policy complains about. */
  async function visit(server: FastifyInstance, options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
    const { port } = server.server.address() as AddressInfo;
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    const elsewhere: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(`http://127.0.0.1:${port}/`) && !request.url().startsWith('data:')) elsewhere.push(request.url());
    });
    try {
      await page.goto(`http://127.0.0.1:${port}/telemetry`);
      await look(page);
      assert.deepEqual(complaints, []);
      assert.deepEqual(elsewhere, []);
    } finally {
      await context.close();
    }
  }

  it('shows state, every field, charts and ledger without script', async () => {
    await visit(app, { javaScriptEnabled: false }, async (page) => {
      assert.equal(await page.locator('.state').textContent(), 'Telemetry is on');
      assert.equal(await page.locator('.fields dt').count(), FIELDS.length);
      assert.equal(await page.locator('.chart svg[role=img]').count(), 4);
      assert.deepEqual(await page.locator('.ledger .outcome').allTextContents(), [
        'not answered (ECONNREFUSED)',
        'not answered (ECONNREFUSED)',
        'answered 204',
      ]);
      await page.locator('.raw summary').click();
      assert.equal(await page.locator('.raw pre').textContent(), Buffer.from(h.telemetry.preview()).toString('utf8'));
    });
  });

  it('with script, times stay in UTC wherever the browser is, and a chart tells its value under the pointer', async () => {
    await visit(app, { timezoneId: 'Asia/Tokyo', locale: 'de-DE' }, async (page) => {
      await page.locator('.ledger time').filter({ hasText: ', ' }).first().waitFor();
      assert.match((await page.locator('.ledger time').last().textContent()) ?? '', /^2026-01-02 03:04:05 UTC, (in )?[a-z0-9 ]+( ago)?$/);
      const chart = page.locator('.chart').first();
      const rest = await chart.locator('.reading').textContent();
      await chart.locator('svg').hover();
      assert.match((await chart.locator('.reading').textContent()) ?? '', /^12\.5 % of one core at 0[45]:\d\d UTC$/);
      await page.mouse.move(1, 1);
      assert.equal(await chart.locator('.reading').textContent(), rest);
    });
  });

  it('names of fields stay on one line', async () => {
    await visit(app, { viewport: { width: 320, height: 800 } }, async (page) => {
      for (const width of [320, 768, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        const broken = await page.evaluate<string[]>(
          `[...document.querySelectorAll('.fields dt code')].filter((code) => code.getClientRects().length !== 1 || code.getBoundingClientRect().height > 30).map((code) => code.textContent)`,
        );
        assert.deepEqual(broken, [], String(width));
      }
    });
  });

  it('text is readable against the ground, light and dark', async () => {
    await visit(app, {}, async (page) => {
      const grounds = new Set<string>();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        grounds.add(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
        const pairs = await page.evaluate<{ name: string; ratio: number }[]>(CONTRASTS);
        assert.ok(pairs.length >= 8);
        for (const { name, ratio } of pairs) assert.ok(ratio >= 4.5, `${colorScheme}: ${name} has contrast ${ratio.toFixed(2)}`);
      }
      assert.equal(grounds.size, 2);
    });
  });

  it('fits phones, tablets and desks without scrolling sideways', async () => {
    await visit(app, { viewport: { width: 320, height: 800 } }, async (page) => {
      for (const width of [320, 375, 768, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        assert.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), width);
      }
    });
  });

  it('has one main heading, named regions and named charts, and the keyboard reaches what can be opened', async () => {
    await visit(app, {}, async (page) => {
      assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
      for (const name of ['The next report', 'The last day', 'What was sent', 'Switch it off']) {
        assert.equal(await page.getByRole('region', { name }).count(), 1, name);
      }
      for (const name of ['CPU', 'Memory', 'Writes', 'Queries']) assert.equal(await page.getByRole('img', { name }).count(), 1, name);
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate<string>('document.activeElement.className'), 'skip');
      await page.locator('.ledger summary').first().focus();
      await page.keyboard.press('Enter');
      assert.ok(await page.locator('.ledger pre').first().isVisible());
    });
  });

  it('says that it is off, and why', async () => {
    const off = await serve(harness({ resolution: OFF }));
    await visit(off, {}, async (page) => {
      assert.equal(await page.locator('.state').textContent(), 'Telemetry is off');
      assert.equal(await page.locator('.lead').textContent(), '--disable-telemetry-upload is set, so nothing is collected or sent.');
      assert.equal(await page.locator('.chart').count(), 0);
    });
    await off.close();
  });
});

async function serve(h: Harness): Promise<FastifyInstance> {
  const app = fastify();
  app.register(telemetryRoutes({ telemetry: h.telemetry, clock: h.time }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app;
}

/** Runs in the page: contrast of some texts against the ground behind them (WCAG 2 formula). */
const CONTRASTS = `
(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (text) => {
    const [r, g, b] = channels(text).slice(0, 3).map((value) => value / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const names = ['h1', '.lead', '.state', '.facts dt', '.fields code', '.value', '.about', '.note', 'figcaption', '.outcome.good', '.outcome.bad', 'footer a'];
  return names.map((name) => {
    const element = document.querySelector(name);
    const [light, dark] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((a, b) => b - a);
    return { name, ratio: (light + 0.05) / (dark + 0.05) };
  });
})()
`;
