import { logicalLineEnd } from '../../shared/logical-lines.ts';
import { type Piece, rowLines } from '../client/cut-lines.ts';

const CONTEXT_DATABASE = '# CONTEXT-DATABASE:';
const CONTEXT_POLICY = '# CONTEXT-RETENTION-POLICY:';

/**
 * Follows the headers of `influx_inspect export`: rows go to the database and retention policy that a header names, and statements
 * (`CREATE DATABASE …` below `# DDL`) are left out. Pieces of files without headers stay as they are. `target` = the database that
 * rows of another one go to; without it they keep theirs.
 */
export async function* followHeaders(pieces: AsyncIterable<Piece>, target: string | undefined): AsyncIterable<Piece> {
  let named: string | undefined;
  let policy = '';
  let inStatements = false;
  const databaseNow = (): string | undefined => {
    const database = target ?? named;
    return database === undefined || policy === '' || policy === 'autogen' ? database : `${database}/${policy}`;
  };
  for await (const piece of pieces) {
    if (!inStatements && !hasHeaders(piece.body)) {
      yield { ...piece, database: databaseNow(), position: piece.endByte };
      continue;
    }
    const { body } = piece;
    const startByte = piece.endByte - body.length;
    let from = 0;
    let at = 0;
    let line = piece.firstLine;
    let fromLine = line;
    const part = (end: number, endLine: number): Piece => ({
      body: body.subarray(from, end),
      firstLine: fromLine,
      lineCount: endLine - fromLine,
      endByte: startByte + end,
      database: databaseNow(),
      // Headers that came before must be read again.
      position: undefined,
    });
    while (at < body.length) {
      const isComment = body[at] === 0x23;
      const end = Math.min(isComment || inStatements ? lineEnd(body, at) : logicalLineEnd(body, at), body.length);
      const text = isComment || inStatements ? body.toString('utf8', at, end).trimEnd() : '';
      const leftOut = isComment || (inStatements && text !== '');
      const next = Math.min(end + 1, body.length);
      const nextLine = line + countNewlines(body, at, next);
      if (leftOut) {
        if (at > from && hasRows(body.subarray(from, at))) yield part(at, line);
        if (text.startsWith(CONTEXT_DATABASE)) named = text.slice(CONTEXT_DATABASE.length).trim();
        else if (text.startsWith(CONTEXT_POLICY)) policy = text.slice(CONTEXT_POLICY.length).trim();
        else if (text === '# DDL') inStatements = true;
        else if (text === '# DML') inStatements = false;
        from = next;
        fromLine = nextLine;
      }
      at = next;
      line = nextLine;
    }
    if (from < body.length && hasRows(body.subarray(from))) yield part(body.length, line);
  }
}

function hasHeaders(body: Buffer): boolean {
  return body.includes('# DDL') || body.includes('# DML') || body.includes('# CONTEXT-');
}

function hasRows(body: Buffer): boolean {
  return rowLines(body).length > 0;
}

function lineEnd(body: Buffer, start: number): number {
  const end = body.indexOf(0x0a, start);
  return end === -1 ? body.length : end;
}

function countNewlines(body: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = body.indexOf(0x0a, from); at !== -1 && at < to; at = body.indexOf(0x0a, at + 1)) count += 1;
  return count;
}
