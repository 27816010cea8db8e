import type { TableSection } from '../batch/index.ts';
import type { SectionRows } from './merge-sections.ts';

/** Sections with fewer rows are merged before DuckDB gets them. */
const MERGED_ROWS_MAX = 512;

/**
 * Durable rows on their way into a DuckDB table, in arrival order. A row waits, is moved (the appender has it), and is
 * forgotten only when a flush has made it part of the table; after a failure everything that was moved waits again.
 *
 * Shared by: writes, which add at the end, and the one drain of the generation that is under way. Every method is synchronous
 * and leaves the positions consistent, so that rows which arrive between two steps of a drain are just further rows.
 */
export class PendingRows {
  #sections: TableSection[] = [];
  /** Rows of the first section that are part of the table. */
  #headFlushed = 0;
  /** The next row to move: index of its section, and its number there. */
  #section = 0;
  #from = 0;
  #waitingRows = 0;
  #movedRows = 0;
  #waitingBytes = 0;
  #movedBytes = 0;

  /** Rows that the appender does not have yet. */
  get waitingRows(): number {
    return this.#waitingRows;
  }

  /** Rows that the appender has and the table has not. */
  get movedRows(): number {
    return this.#movedRows;
  }

  /** Memory of the sections with waiting rows. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Memory of the sections that were moved wholly and are kept until the flush. */
  get movedBytes(): number {
    return this.#movedBytes;
  }

  add(section: TableSection): void {
    this.#sections.push(section);
    this.#waitingRows += section.rowCount;
    this.#waitingBytes += section.byteLength;
  }

  /** Up to `room` rows that wait: those of one section, or of several small ones. */
  next(room: number): SectionRows[] {
    const parts: SectionRows[] = [];
    let from = this.#from;
    for (let left = room; left > 0; from = 0) {
      const section = this.#sections[this.#section + parts.length];
      if (section === undefined || (parts.length > 0 && section.rowCount >= MERGED_ROWS_MAX)) break;
      const count = Math.min(left, section.rowCount - from);
      parts.push({ section, from, count });
      left -= count;
      if (section.rowCount >= MERGED_ROWS_MAX) break;
    }
    return parts;
  }

  /** The appender has taken what `next` returned. */
  moved(parts: readonly SectionRows[]): void {
    for (const { section, from, count } of parts) {
      this.#waitingRows -= count;
      this.#movedRows += count;
      this.#from = from + count;
      if (this.#from < section.rowCount) break;
      this.#from = 0;
      this.#section++;
      this.#waitingBytes -= section.byteLength;
      this.#movedBytes += section.byteLength;
    }
  }

  /** Everything that was moved is part of the table. */
  flushed(): void {
    if (this.#movedRows === 0) return;
    this.#sections.splice(0, this.#section);
    this.#section = 0;
    this.#headFlushed = this.#from;
    this.#movedRows = 0;
    this.#movedBytes = 0;
  }

  /** Nothing of what was moved since the last flush is part of the table: it waits again. */
  rewind(): void {
    this.#section = 0;
    this.#from = this.#headFlushed;
    this.#waitingRows += this.#movedRows;
    this.#waitingBytes += this.#movedBytes;
    this.#movedRows = 0;
    this.#movedBytes = 0;
  }

  /** Forgets all rows: nobody will read the table. */
  clear(): void {
    this.#sections = [];
    this.#headFlushed = 0;
    this.#section = 0;
    this.#from = 0;
    this.#waitingRows = 0;
    this.#movedRows = 0;
    this.#waitingBytes = 0;
    this.#movedBytes = 0;
  }
}
