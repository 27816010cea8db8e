// Reads sqllogictest files: which records there are, and which of them can be asked without storing a table.
import { FileTables } from './sqllogictest-tables.mjs';

/** Settings that change what later records mean. */
const MEANINGFUL_SETTING = /recursive|sql_parser|time.?zone|ident_normalization|dialect|parse_float|null_ordering|batch_size|format\./i;

/**
 * Query records of a file that need no setting and no plan, and no table but those that the file makes of values: these
 * are written into the statement as WITH queries, and `hasTables` is true.
 * @returns {{file: string, line: number, sql: string, types: string, sort: string, wantsError: boolean, hasTables: boolean, expected: string[]}[]}
 */
export function readRecords(text, file) {
  const tables = new FileTables();
  const settings = new Set();
  const records = [];
  for (const { head, body, expected, line } of blocks(text)) {
    const [word, ...rest] = head.split(/\s+/);
    const sql = body.join('\n').trim();
    if (rest[0] !== 'error') tables.note(sql, settings.size === 0);
    if (word === 'statement') {
      noteSetting(sql, settings);
      // A function of the file's own may take the name of another one.
      if (/^\s*create\s+(or\s+replace\s+)?function\b/i.test(sql)) settings.add('function');
      if (/^\s*drop\s+function\b/i.test(sql)) settings.delete('function');
      // What must fail may be written as a statement, too.
      if (rest[0] !== 'error') continue;
    }
    if (settings.size > 0 || !isPlain(sql)) continue;
    const made = tables.writtenInto(sql.replace(/;\s*$/, ''));
    if (made === undefined || needsTable(made.sql)) continue;
    const wantsError = rest[0] === 'error';
    records.push({
      file,
      line,
      sql: made.sql,
      types: wantsError ? '' : (rest[0] ?? ''),
      sort: rest[1] ?? 'nosort',
      wantsError,
      hasTables: made.count > 0,
      expected,
    });
  }
  return records;
}

/** Keeps the names of settings that are not as a server has them. */
function noteSetting(sql, settings) {
  const [, word, name, value = ''] = /^\s*(set|reset)\s+(time\s+zone|[\w.]+)\s*(?:(?:=|to)\s*)?(.*?);?\s*$/is.exec(sql) ?? [];
  if (word === undefined || !MEANINGFUL_SETTING.test(name)) return;
  const isDefault = word.toLowerCase() === 'reset' || (/zone/i.test(name) && /^'?(\+00(:?00)?|z|utc)'?$/i.test(value));
  const key = /zone/i.test(name) ? 'time zone' : name.toLowerCase();
  if (isDefault) settings.delete(key);
  else settings.add(key);
}

/** Records are apart by empty lines; `----` divides the statement from what it must deliver. */
function* blocks(text) {
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const head = lines[i].trim();
    if (!/^(query|statement)\b/.test(head)) continue;
    const line = i + 1;
    const body = [];
    for (i++; i < lines.length && lines[i].trim() !== '' && lines[i] !== '----'; i++) if (!lines[i].startsWith('#')) body.push(lines[i]);
    const expected = [];
    if (lines[i] === '----') {
      // An error's text may have empty lines; it ends with two of them.
      for (i++; i < lines.length && lines[i].trim() !== ''; i++) expected.push(lines[i]);
    }
    yield { head, body, expected, line };
  }
}

/** A SELECT, VALUES or WITH whose answer is no plan. */
function isPlain(sql) {
  return /^\s*(\(|select|values|with|from)\b/i.test(sql) || /^\s*\(\s*select/i.test(sql);
}

/** True when a name that comes after FROM is none of the statement's own. */
function needsTable(sql) {
  const plain = sql.replace(/'(?:[^']|'')*'/g, "''").replace(/--.*$/gm, '');
  if (/\binformation_schema\b/i.test(plain)) return true;
  const own = new Set(
    [...plain.matchAll(/([\w"]+)\s*(?:\([^()]*\))?\s+as\s+(?:not\s+)?(?:materialized\s+)?\(/gi)].map((match) => match[1].toLowerCase()),
  );
  const sources = [...plain.matchAll(/\b(?:from|join)\s+(?:lateral\s+)?("?[a-z_][\w.]*"?)(\s*\()?/gi)];
  return sources.some(([all, name, call], i) => {
    if (call !== undefined || own.has(name.toLowerCase()) || /^(select|values|unnest|lateral)$/i.test(name)) return false;
    // `extract(year FROM x)`, `trim(a FROM b)`, `IS DISTINCT FROM`: no sources
    const before = plain.slice(0, sources[i].index);
    return (
      !/\b(distinct|extract\s*\([^()]*|trim\s*\([^()]*|substring\s*\([^()]*|overlay\s*\([^()]*|position\s*\([^()]*)\s*$/i.test(before) &&
      all !== ''
    );
  });
}
