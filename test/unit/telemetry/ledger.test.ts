import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { INTERRUPTED, LEDGER_ENTRIES_MAX, parseLedger, readLedgerFile, TelemetryLedger } from '../../../src/telemetry/ledger.ts';
import { LedgerFile } from '../../../src/telemetry/ledger-file.ts';
import { START_MS } from '../../support/fake-time.ts';
import { until } from '../../support/until.ts';
import { harness, memoryLogger } from './support.ts';

const newPath = (): string => join(mkdtempSync(join(tmpdir(), 'telemetry-ledger-')), 'node-1', 'telemetry', 'ledger.jsonl');
const BODY = Buffer.from('{"os":"linux"}');

async function openLedger(path: string) {
  const logger = memoryLogger();
  const ledger = new TelemetryLedger(new LedgerFile(path), logger);
  await ledger.load();
  return { ledger, logger };
}

describe('ledger', () => {
  it('keeps time, endpoint, status or error, bytes and body of every attempt across a restart', async () => {
    const path = newPath();
    const { ledger } = await openLedger(path);
    assert.equal(existsSync(path), false, 'nothing is written before the first attempt');
    await ledger.finish(await ledger.begin(START_MS, 'https://h/telem', BODY), { kind: 'answered', status: 204 }, 12.4);
    await ledger.finish(await ledger.begin(START_MS + 1, 'https://h/telem', BODY), { kind: 'failed', error: 'ECONNREFUSED' }, 3);
    const { ledger: reopened } = await openLedger(path);
    assert.deepEqual(
      reopened.list().map(({ id: _id, ...entry }) => entry),
      [
        {
          time: '2026-01-02T03:04:05.000Z',
          endpoint: 'https://h/telem',
          bytes: 14,
          body: '{"os":"linux"}',
          status: 204,
          error: null,
          durationMs: 12,
        },
        {
          time: '2026-01-02T03:04:05.001Z',
          endpoint: 'https://h/telem',
          bytes: 14,
          body: '{"os":"linux"}',
          status: null,
          error: 'ECONNREFUSED',
          durationMs: 3,
        },
      ],
    );
    assert.deepEqual(await readLedgerFile(path), reopened.list());
    assert.equal(statSync(path).mode & 0o077, 0, 'for the owner only');
  });

  it('an attempt is on disk before it is made; one cut off by a crash is shown as such', async () => {
    const path = newPath();
    const { ledger } = await openLedger(path);
    await ledger.begin(START_MS, 'https://h/telem', BODY);
    const [entry] = await readLedgerFile(path);
    assert.equal(entry?.error, INTERRUPTED);
    assert.equal(entry?.body, '{"os":"linux"}');
  });

  it('torn, foreign and empty content is skipped, counted and logged once; new lines stay readable', async () => {
    const path = newPath();
    mkdirSync(dirname(path), { recursive: true });
    const { ledger: first } = await openLedger(path);
    await first.finish(await first.begin(START_MS, 'https://h/telem', BODY), { kind: 'answered', status: 200 }, 1);
    appendFileSync(
      path,
      'garbage\n\n[]\nnull\n{"kind":"result","id":"nobody","status":1,"error":null,"durationMs":1}\n{"kind":"attempt","id":"torn","ti',
    );
    const { ledger, logger } = await openLedger(path);
    assert.equal(ledger.list().length, 1);
    assert.deepEqual(logger.lines, [{ level: 'warn', message: 'skipped unreadable lines of the telemetry ledger', fields: { lines: 5 } }]);
    await ledger.finish(await ledger.begin(START_MS + 5, 'https://h/telem', BODY), { kind: 'answered', status: 200 }, 1);
    assert.equal((await readLedgerFile(path)).length, 2);
  });

  it('any text at all is taken without throwing', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.json())), (lines) => {
        const parsed = parseLedger(lines.join('\n'));
        assert.ok(parsed.entries.length <= lines.join('\n').split('\n').length);
      }),
    );
  });

  it('holds the newest thousand attempts and rewrites the file in one step', async () => {
    const path = newPath();
    mkdirSync(dirname(path), { recursive: true });
    const lines: string[] = [];
    for (let index = 0; index < 1250; index += 1) {
      lines.push(
        JSON.stringify({
          kind: 'attempt',
          id: `a${index}`,
          time: new Date(START_MS + index).toISOString(),
          endpoint: 'https://h/telem',
          bytes: 2,
          body: '{}',
        }),
      );
      lines.push(JSON.stringify({ kind: 'result', id: `a${index}`, status: 204, error: null, durationMs: 1 }));
    }
    writeFileSync(path, `${lines.join('\n')}\n`);
    const { ledger } = await openLedger(path);
    assert.equal(ledger.list().length, LEDGER_ENTRIES_MAX);
    assert.equal(ledger.list()[0]?.id, 'a250');
    await ledger.finish(await ledger.begin(START_MS + 9999, 'https://h/telem', BODY), { kind: 'answered', status: 204 }, 1);
    assert.equal(readFileSync(path, 'utf8').trim().split('\n').length, 2 * LEDGER_ENTRIES_MAX);
    assert.equal(existsSync(`${path}.tmp`), false);
    assert.deepEqual(await readLedgerFile(path), ledger.list());
  });

  it('a disk that fails costs the file, not the report: logged once, kept in memory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'telemetry-ledger-'));
    writeFileSync(join(folder, 'blocked'), 'a file where a folder should be');
    const h = harness({ ledgerFile: join(folder, 'blocked', 'telemetry', 'ledger.jsonl') });
    h.telemetry.start();
    await until(() => h.telemetry.status().last_attempt?.status === 204);
    assert.equal(h.posts.length, 1);
    assert.equal(h.logger.lines.filter((line) => line.message === 'the telemetry ledger cannot be kept on disk').length, 1);
    assert.equal((await h.telemetry.ledger()).length, 1);
    await h.telemetry.stop();
  });

  it('the body in the ledger is the body that was posted, byte for byte, and equals the preview of that moment', async () => {
    const path = newPath();
    const h = harness({ ledgerFile: path });
    h.readings.push(undefined);
    const preview = Buffer.from(h.telemetry.preview()).toString('utf8');
    h.telemetry.start();
    await until(() => h.telemetry.status().last_attempt?.status === 204);
    assert.equal(h.posts[0], preview);
    assert.equal((await h.telemetry.ledger())[0]?.body, h.posts[0]);
    await h.telemetry.stop();
  });

  it('looking at the preview changes nothing', async () => {
    const h = harness();
    h.telemetry.start();
    h.telemetry.recorder.recordWrite(4, 4_000_000);
    await h.time.advance(60_000);
    const looks = [1, 2, 3].map(() => Buffer.from(h.telemetry.preview()).toString('utf8'));
    assert.equal(new Set(looks).size, 1);
    await h.telemetry.stop();
  });
});
