import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CHUNK_ROWS, type ChunkAppender, Engine } from '../../../src/duckdb/index.ts';

describe('ChunkAppender', () => {
  let directory: string;
  let engine: Engine;
  let tables = 0;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'chunk-appender-'));
    engine = await Engine.open({
      threads: 1,
      memoryLimitBytes: 256 * 1024 * 1024,
      tempDirectory: directory,
      allowedDirectories: [directory],
      setupStatements: [],
    });
  });

  after(() => {
    engine.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function textsAfter(fill: (appender: ChunkAppender) => void): Promise<(string | null)[]> {
    const table = `t${tables++}`;
    await engine.run(`CREATE TABLE ${table} (text VARCHAR)`);
    const appender = engine.appender(table, ['varchar']);
    fill(appender);
    appender.close();
    const connection = await engine.acquire();
    try {
      const rows = await (await connection.run(`SELECT text FROM ${table} ORDER BY rowid`)).getRows();
      return rows.map(([text]) => text as string | null);
    } finally {
      engine.release(connection);
    }
  }

  it('keeps texts of every length around what fits into a header', async () => {
    const texts = Array.from({ length: 40 }, (_, length) => 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'.slice(0, length));
    assert.deepEqual(await textsAfter((appender) => appendTexts(appender, texts)), texts);
  });

  it('keeps texts of several bytes a character, with line ends and zeros', async () => {
    const texts = ['größe ✓ größe ✓', '✓✓✓✓', '\0', 'one line\nand another one\0', '', '日本語のテキスト'];
    assert.deepEqual(await textsAfter((appender) => appendTexts(appender, texts)), texts);
  });

  it('fills a chunk from several pieces and goes on with the next', async () => {
    const texts = Array.from({ length: 3 * CHUNK_ROWS + 100 }, (_, i) =>
      i % 3 === 0 ? `short ${i % 1000}` : `a text that is too long for a header ${i} ${'x'.repeat(i % 50)}`,
    );
    const stored = await textsAfter((appender) => {
      for (let start = 0; start < texts.length; start += 700) appendTexts(appender, texts.slice(start, start + 700));
    });
    assert.deepEqual(stored, texts);
  });

  it('takes a part of a column', async () => {
    const texts = ['left out, a long text as well', 'first', 'second, which is a long text', 'third', 'left out at the end'];
    const { offsets, bytes } = columnOf(texts);
    const stored = await textsAfter((appender) => {
      appender.strings(0, offsets, bytes, 1, 3);
      appender.advance(3);
    });
    assert.deepEqual(stored, texts.slice(1, 4));
  });

  it('keeps rows without a text apart from long texts beside them', async () => {
    const { offsets, bytes } = columnOf(['a text that is long enough', '', 'another one that is long enough']);
    const stored = await textsAfter((appender) => {
      appender.strings(0, offsets, bytes, 0, 3);
      appender.nulls(0, Uint8Array.of(0b101), 0, 3);
      appender.advance(3);
      appender.nulls(0, undefined, 0, 2);
      appender.advance(2);
      appendTexts(appender, ['the last of the long texts']);
    });
    assert.deepEqual(stored, [
      'a text that is long enough',
      null,
      'another one that is long enough',
      null,
      null,
      'the last of the long texts',
    ]);
  });

  it('refuses bytes that are no text instead of pointing somewhere', () => {
    return assert.rejects(
      textsAfter((appender) => {
        const bytes = new Uint8Array(20).fill(0xff);
        appender.strings(0, Uint32Array.of(0, 20), bytes, 0, 1);
        appender.advance(1);
      }),
      /the engine took all texts/,
    );
  });
});

function appendTexts(appender: ChunkAppender, texts: readonly string[]): void {
  const { offsets, bytes } = columnOf(texts);
  for (let from = 0; from < texts.length; ) {
    const count = Math.min(appender.room, texts.length - from);
    appender.strings(0, offsets, bytes, from, count);
    appender.advance(count);
    from += count;
  }
}

function columnOf(texts: readonly string[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const offsets = new Uint32Array(texts.length + 1);
  texts.forEach((text, i) => {
    offsets[i + 1] = (offsets[i] as number) + Buffer.byteLength(text);
  });
  return { offsets, bytes: Buffer.from(texts.join('')) };
}
