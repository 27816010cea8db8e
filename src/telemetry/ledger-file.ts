import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where ledger lines live. */
export interface LedgerStorage {
  /** All text, or its newest part when there is too much; empty when there is none yet. */
  read(): Promise<string>;
  /** Adds text at the end. */
  append(text: string): Promise<void>;
  /** Puts text in place of everything, in one step. */
  replace(text: string): Promise<void>;
}

/** Most bytes read at start; older text is dropped by the next rewriting. */
const LEDGER_READ_BYTES_MAX = 16 * 1024 * 1024;

/** A file of JSON lines. Its folder is made at the first write, readable by the owner only. */
export class LedgerFile implements LedgerStorage {
  private readonly path: string;
  private needsNewline = false;

  constructor(path: string) {
    this.path = path;
  }

  async read(): Promise<string> {
    const text = await this.readTail();
    this.needsNewline = text !== '' && !text.endsWith('\n');
    return text;
  }

  async append(text: string): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.writeFile(this.needsNewline ? `\n${text}` : text);
      this.needsNewline = false;
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async replace(text: string): Promise<void> {
    const temporary = `${this.path}.tmp`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.path);
    this.needsNewline = false;
    await syncFolder(dirname(this.path));
  }

  private async readTail(): Promise<string> {
    try {
      const { size } = await stat(this.path);
      if (size <= LEDGER_READ_BYTES_MAX) return await readFile(this.path, 'utf8');
      const file = await open(this.path, 'r');
      try {
        const tail = Buffer.alloc(LEDGER_READ_BYTES_MAX);
        await file.read(tail, 0, tail.length, size - tail.length);
        return tail.toString('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
