import type { Piece } from '../client/cut-lines.ts';

/** A row as line protocol, and where it comes from. */
export interface ImportRow {
  readonly line: string;
  /** Line of the source, from 1; number of the row where the source has no lines. */
  readonly sourceLine: number;
  readonly database?: string | undefined;
  /** Where an import goes on behind this row; undefined = it cannot go on between this row and the next. */
  readonly position?: unknown;
}

/** Bodies of rows, of about `bytesMax`; each goes to one database. */
export async function* rowPieces(rows: AsyncIterable<ImportRow>, bytesMax: number): AsyncIterable<Piece> {
  let lines: string[] = [];
  let sourceLines: number[] = [];
  let size = 0;
  let total = 0;
  let last: ImportRow | undefined;
  let position: unknown;
  const piece = (): Piece => {
    const body = Buffer.from(lines.join('\n'));
    total += body.length;
    const made = {
      body,
      firstLine: sourceLines[0] ?? 1,
      lineCount: lines.length,
      endByte: total,
      database: last?.database,
      sourceLines,
      position,
    };
    lines = [];
    sourceLines = [];
    size = 0;
    position = undefined;
    return made;
  };
  for await (const row of rows) {
    if (lines.length > 0 && (size + row.line.length >= bytesMax || row.database !== last?.database)) yield piece();
    lines.push(row.line);
    sourceLines.push(row.sourceLine);
    size += row.line.length + 1;
    last = row;
    position = row.position ?? position;
  }
  if (lines.length > 0) yield piece();
}
