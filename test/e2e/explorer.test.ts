import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { ensureDebianPackage } from '../tooling/ensure-debian-package.ts';

const program = ensureDebianPackage('chromium', 'chromium');
const skip = program.kind === 'missing';
const note = program.kind === 'missing' ? ` (skipped: ${program.reason})` : '';

const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  );

/** Bytes of script and style together, zipped. */
const ZIPPED_BYTES_MAX = 300 * 1024;

describe(`explorer page in a browser${note}`, { skip }, () => {
  const endings: (() => Promise<void>)[] = [];
  let browser: Browser;
  let server: TestServer;
  let token: string;

  before(async () => {
    if (program.kind === 'missing') return;
    const t = { after: (fn: () => Promise<void>) => void endings.unshift(fn) };
    server = await startServer(t, await testDirectory(t), { bare: true, args: ['--disable-telemetry-upload', '--telemetry-receiver'] });
    const made = await fetch(`${server.url}/api/v3/configure/token/admin`, { method: 'POST' });
    ({ token } = (await made.json()) as { token: string });
    const lines = Array.from({ length: 1000 }, (_, i) => `big v=${i}i ${1_700_000_000 + i}`);
    const temperatures = Array.from(
      { length: 60 },
      (_, i) => `home,room=${i % 2 === 0 ? 'Kitchen' : 'Bath'} temp=${20 + (i % 7)},h\\ u=${i}i ${1_735_545_600 + i * 60}`,
    );
    const stored = await fetch(`${server.url}/api/v3/write_lp?db=sensors&precision=second`, {
      method: 'POST',
      body: [...lines, ...temperatures].join('\n'),
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(stored.status, 204);
    browser = await chromium.launch({ executablePath: program.path, args: FLAGS });
  });

  after(async () => {
    await browser?.close();
    for (const end of endings) await end();
  });

  /** Opens the page; fails on anything that the console or the security policy complains about, and on requests elsewhere. */
  async function visit(
    options: BrowserContextOptions & { anonymous?: boolean; path?: string },
    look: (page: Page, context: BrowserContext) => Promise<void>,
  ): Promise<void> {
    const { anonymous, path = '/', ...rest } = options;
    const context = await browser.newContext({ acceptDownloads: true, ...rest });
    context.setDefaultTimeout(120_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    const elsewhere: string[] = [];
    page.on('console', (message) => {
      // Chromium reports each answer of 400 and above, also those that the page is about.
      if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${server.url}/`) && !url.startsWith('data:') && !url.startsWith('blob:')) elsewhere.push(url);
    });
    if (anonymous !== true) await context.addInitScript(`sessionStorage.setItem('influxdb3-token', '${token}')`);
    try {
      await page.goto(server.url + path);
      await look(page, context);
      assert.deepEqual(complaints, []);
      assert.deepEqual(elsewhere, []);
    } finally {
      await context.close();
    }
  }

  async function run(page: Page, statement: string): Promise<string> {
    await page.locator('.cm-content').click();
    await page.keyboard.press('Control+a');
    // Chromium gives text that replaces other text a style attribute of its own, which the policy refuses, and says so.
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(statement);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
    return (await page.locator('.status').textContent()) ?? '';
  }

  const opened = (page: Page): Promise<void> => page.locator('.tree summary', { hasText: 'home' }).first().waitFor();

  it('a browser without a token gets a page that asks for one, everywhere, and the token stays in the tab', async () => {
    for (const path of ['/telemetry', '/api/v3/configure/database?format=json', '/nosuch']) {
      const page = await fetch(server.url + path, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
      assert.deepEqual([page.status, page.headers.get('content-type')], [401, 'text/html; charset=utf-8'], path);
      assert.equal(page.headers.get('www-authenticate'), null, 'no dialog of the browser before the page');
      const program = await fetch(server.url + path, { headers: { accept: '*/*' } });
      assert.match(await program.text(), /^\{"error": "the request was not authenticated"\}$/, path);
    }
    await visit({ anonymous: true }, async (page, context) => {
      const input = page.getByLabel('Token', { exact: true });
      await input.fill('two words');
      await page.keyboard.press('Enter');
      await page.getByText('A token is one word without blanks.').waitFor();
      await input.fill('apiv3_wrong');
      await page.keyboard.press('Enter');
      await page.getByText('The server did not accept this token.').waitFor();
      await page.getByLabel('Token', { exact: true }).fill(token);
      await page.keyboard.press('Enter');
      await opened(page);
      const kept = await page.evaluate<string>(
        `JSON.stringify([{ ...localStorage }, document.cookie, document.body.outerHTML, location.href])`,
      );
      assert.ok(!kept.includes(token.slice(6)));
      assert.deepEqual((await context.cookies()).length, 0);
      const other = await context.newPage();
      await other.goto(`${server.url}/`);
      await other.getByLabel('Token', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Forget token' }).click();
      await page.getByLabel('Token', { exact: true }).waitFor();
    });
  });

  it('after the login a browser sees what it came for: the telemetry page with the fleet of a receiver, JSON, an error', async () => {
    const report = {
      instance_id: '0c5c3f0e-5d0c-4a5e-9a53-0f3f2c1b7a10',
      version: 'influxdb3-3.10.0',
      os: 'linux',
      write_lines_sum_1h: 4321,
    };
    assert.equal((await fetch(`${server.url}/telem`, { method: 'POST', body: JSON.stringify(report) })).status, 204);
    await visit({ anonymous: true, path: '/telemetry' }, async (page) => {
      await page.getByLabel('Token', { exact: true }).fill(token);
      await page.keyboard.press('Enter');
      const node = page.locator('.fleet tr', { hasText: report.instance_id });
      await node.waitFor();
      assert.match((await node.textContent()) ?? '', /influxdb3-3\.10\.0linux\d{4}-\d\d-\d\d \d\d:\d\d UTC.*0 min04,3210$/);
      assert.equal(await page.locator('.state').textContent(), 'Telemetry is off');
      await page.locator('.fleet time').filter({ hasText: ', ' }).first().waitFor(); // its script runs
      assert.notEqual(await page.evaluate<string>(`getComputedStyle(document.querySelector('.state')).gap`), 'normal'); // and its style
      await page.getByRole('link', { name: 'status' }).click();
      await page.getByText('"state":"off"').waitFor();
    });
    await visit({ path: '/nosuch' }, async (page) => {
      await page.getByText('404: ').waitFor();
      await page.getByRole('link', { name: 'Explorer' }).click();
      await opened(page);
    });
  });

  it('is small, whole without the network, and refuses everything from elsewhere', async () => {
    const page = await fetch(`${server.url}/`);
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(
      policy,
      /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[A-Za-z0-9+/]{22}=='; connect-src 'self'; img-src data:; /,
    );
    assert.ok(!policy.includes('unsafe') && !policy.includes('http'));
    let bytes = 0;
    for (const file of ['app.js', 'app.css']) {
      const asset = await fetch(`${server.url}/explorer/${file}`);
      assert.equal(asset.headers.get('content-encoding'), 'gzip');
      bytes += gzipSync(Buffer.from(await asset.arrayBuffer()), { level: 9 }).length;
      const again = await fetch(`${server.url}/explorer/${file}`, { headers: { 'if-none-match': asset.headers.get('etag') ?? '' } });
      assert.equal(again.status, 304);
    }
    assert.ok(bytes < ZIPPED_BYTES_MAX, `${bytes} bytes`);
  });

  it('shows the schema, completes its names, runs SQL and InfluxQL, explains, and marks an error at its place', async () => {
    await visit({}, async (page) => {
      await opened(page);
      await page.locator('.tree summary', { hasText: 'home' }).first().click();
      assert.deepEqual(await page.locator('.tree li').filter({ hasText: 'room' }).locator('.kind').textContent(), 'tag');
      assert.equal(await run(page, 'SELECT room, temp FROM home ORDER BY time LIMIT 3').then((text) => /^3 rows, /.test(text)), true);
      assert.deepEqual(await page.locator('.grid .head span').allTextContents(), ['#', 'room', 'temp']);
      assert.deepEqual(await page.locator('.grid .shown .row').first().locator('span').allTextContents(), ['1', 'Kitchen', '20.0']);

      const wrong = await run(page, 'SELECT room,\n  tempp FROM home');
      assert.match(wrong, /tempp/);
      assert.equal(await page.locator('.cm-lintRange-error').textContent(), 'tempp');

      await page.locator('.cm-content').click();
      await page.keyboard.press('Control+a');
      await page.keyboard.press('Delete');
      await page.keyboard.type('SELECT * FROM ho');
      await page.locator('.cm-tooltip-autocomplete li', { hasText: 'home' }).first().waitFor();
      await page.keyboard.press('Escape');

      assert.match(await run(page, 'SELECT count(v) AS n FROM big'), /^1 row, /);
      await page.keyboard.press('Control+Shift+E');
      await page.locator('.grid .head span', { hasText: 'plan_type' }).waitFor();
      await page.getByLabel('Language').selectOption('influxql');
      assert.match(await run(page, 'SELECT mean(temp) FROM home GROUP BY room'), /^2 rows, /);

      assert.ok((await page.getByLabel('History').locator('option').count()) >= 3);
      await page.getByLabel('History').selectOption({ index: 2 });
      assert.equal(await page.getByLabel('Language').inputValue(), 'sql');
      await page.getByRole('button', { name: 'Put "h u"' }).count();
      await page.getByRole('button', { name: 'h u', exact: true }).click();
      assert.match((await page.locator('.cm-content').textContent()) ?? '', /"h u"/);
      await page.getByLabel('Database').selectOption('_internal');
      assert.match(await run(page, 'SELECT 1 AS one'), /^1 row, /);
      await page.getByLabel('Database').selectOption('sensors');
      await page.getByLabel('History').selectOption({ index: 1 });
      assert.equal(await page.getByLabel('Database').inputValue(), '_internal');
      assert.equal(await page.evaluate<string>(`localStorage.getItem('influxdb3-database')`), '_internal');
    });
  });

  it('a million rows scroll, a chart has its series and gaps, and results are downloaded in three formats', async () => {
    await visit({ viewport: { width: 1200, height: 800 } }, async (page) => {
      await opened(page);
      const all = await run(page, 'SELECT a.v * 1000 + b.v AS n FROM big a CROSS JOIN big b ORDER BY n');
      assert.match(all, /^1,000,000 rows, /);
      assert.ok((await page.locator('.grid .shown .row').count()) < 200);
      await page.locator('.grid').evaluate(scrollTo, 'end');
      await page
        .locator('.grid .shown .row span', { hasText: /^999999$/ })
        .first()
        .waitFor();
      await page.locator('.grid').evaluate(scrollTo, 'start');
      await page.locator('.grid .shown .row [role=rowheader]', { hasText: /^1$/ }).first().waitFor();

      await run(page, 'SELECT time, room, temp FROM home ORDER BY time');
      await page.getByLabel('Show as').selectOption('chart');
      await page.locator('.u-legend .u-label', { hasText: 'Kitchen' }).waitFor();
      assert.deepEqual(await page.locator('.u-legend .u-label').allTextContents(), ['time', 'Kitchen', 'Bath']);
      await page.getByLabel('Show as').selectOption('json');
      assert.match(
        (await page.locator('pre.json').textContent()) ?? '',
        /^\[\{"time":"2024-12-30T08:00:00","room":"Kitchen","temp":20\.0\},\n \{/,
      );

      for (const [format, ending, start] of [
        ['csv', 'csv', 'time,room,temp\n'],
        ['json_lines', 'jsonl', '{"'],
        ['parquet', 'parquet', 'PAR1'],
      ] as const) {
        const downloading = page.waitForEvent('download');
        await page.getByLabel('Download').selectOption(format);
        const download = await downloading;
        assert.equal(download.suggestedFilename(), `sensors-result.${ending}`);
        const content = await readFile(await download.path(), 'latin1');
        assert.ok(content.startsWith(start), content.slice(0, 40));
      }
    });
  });

  it('writes lines, points to those that are refused, makes and deletes a token, and all of it by the keyboard', async () => {
    await visit({}, async (page) => {
      await opened(page);
      await page.keyboard.press('Alt+2');
      const box = page.getByLabel('Line protocol');
      await box.fill('# comment\nattic temp=1 1\nattic temp=oops 2\n');
      await box.press('Control+Enter');
      await page.getByText('1 lines are not stored; the others are.').waitFor();
      await page.getByRole('button', { name: 'line 3' }).press('Enter');
      assert.equal(await box.evaluate(selected), 'attic temp=oops 2');
      await page.locator('.tree summary', { hasText: 'attic' }).waitFor();

      await page.keyboard.press('Alt+3');
      await page.getByText(/^OK · version 3\./).waitFor();
      await page.getByLabel('Name of the new token').fill('grafana');
      await page.keyboard.press('Enter');
      assert.match((await page.locator('.made code').textContent()) ?? '', /^apiv3_/);
      page.once('dialog', (dialog) => void dialog.accept());
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.locator('.server li strong', { hasText: 'grafana' }).waitFor({ state: 'detached' });
      assert.equal(await page.getByRole('link', { name: '/telemetry' }).getAttribute('href'), '/telemetry');
    });
  });

  it('makes a token with permissions, and shows with it what it may read', async () => {
    const asAdmin = (path: string, body: string): Promise<Response> =>
      fetch(`${server.url}${path}`, { method: 'POST', body, headers: { authorization: `Bearer ${token}` } });
    assert.equal((await asAdmin('/api/v3/write_lp?db=vault', 'treasure v=1')).status, 204);
    let limited = '';
    await visit({}, async (page) => {
      await page.keyboard.press('Alt+3');
      await page.getByLabel('Name of the new token').fill('reader');
      await page.getByLabel('Permissions of the new token').fill('db:sensors:own');
      await page.keyboard.press('Enter');
      await page.getByText("invalid permission: 'own' cannot be done with db: there is read and write").waitFor();
      await page.getByLabel('Permissions of the new token').fill('db:sensors,others:read system:health:read');
      await page.keyboard.press('Enter');
      limited = (await page.locator('.made code').textContent()) ?? '';
      await page.locator('.server li', { hasText: 'reader db:sensors,others:read; system:health:read' }).waitFor();
      await page.locator('.server li', { hasText: '_admin may do everything' }).waitFor();
    });
    await visit({ anonymous: true }, async (page) => {
      await page.getByLabel('Token', { exact: true }).fill(limited);
      await page.keyboard.press('Enter');
      await opened(page);
      assert.deepEqual(await page.locator('.tree details.database > summary').allTextContents(), ['sensors']);
      assert.match(await run(page, 'SELECT count(*) FROM big'), /1 row/);
      await page.keyboard.press('Alt+2');
      await page.getByLabel('Line protocol').fill('attic temp=1 1');
      await page.getByLabel('Line protocol').press('Control+Enter');
      await page.getByText("the token may not write the database 'sensors', it needs the permission db:sensors:write").waitFor();
      await page.keyboard.press('Alt+3');
      await page.getByText('Tokens are shown to admin tokens, and to those that may read _internal.').waitFor();
      await page.getByText(/^OK · version 3\./).waitFor();
    });
  });

  for (const width of [360, 1280]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`fits ${width} pixels, ${colorScheme}, and its texts are readable`, async () => {
        await visit({ viewport: { width, height: 800 }, colorScheme }, async (page) => {
          await page.locator('.tree summary', { hasText: 'home' }).first().waitFor({ state: 'attached' });
          await run(page, 'SELECT * FROM home ORDER BY time LIMIT 50');
          assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= width);
          const ratios = await page.evaluate<{ name: string; ratio: number }[]>(CONTRASTS);
          for (const { name, ratio } of ratios) assert.ok(ratio >= 4.5, `${name} has contrast ${ratio.toFixed(2)}`);
          const folder = process.env['EXPLORER_SCREENSHOTS'];
          if (folder === undefined) return;
          await page.screenshot({ path: `${folder}/query-${width}-${colorScheme}.png`, caret: 'initial' });
          await run(page, 'SELECT time, room, temp FROM home ORDER BY time');
          await page.getByLabel('Show as').selectOption('chart');
          await page.locator('.u-legend .u-label').last().waitFor();
          await page.screenshot({ path: `${folder}/chart-${width}-${colorScheme}.png`, caret: 'initial' });
        });
      });
    }
  }
});

/** Runs in the browser. */
function scrollTo(element: unknown, where: string): void {
  const box = element as { scrollTop: number; readonly scrollHeight: number };
  box.scrollTop = where === 'start' ? 0 : box.scrollHeight;
}

/** Runs in the browser: the marked text of a text area. */
function selected(element: unknown): string {
  const { selectionEnd, selectionStart, value } = element as { value: string; selectionStart: number; selectionEnd: number };
  return value.slice(selectionStart, selectionEnd);
}

/** Contrast of some texts against their ground (WCAG 2). */
const CONTRASTS = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (colour) => { const [r, g, b] = rgb(colour).map((part) => { const s = part / 255; return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const groundOf = (element) => { for (let e = element; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] === 255) return c; } return 'white'; };
  return ['.status', '.tree summary', '.grid .head span', '.grid .row span', 'button.main', '.tabs button', '.bar label span', '.cm-content']
    .map((name) => [name, document.querySelector(name)]).filter(([, e]) => e)
    .map(([name, e]) => { const [a, b] = [light(getComputedStyle(e).color), light(groundOf(e))].sort((x, y) => y - x); return { name, ratio: (a + 0.05) / (b + 0.05) }; });
})()`;
