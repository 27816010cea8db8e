// Tables that a sqllogictest file makes, written into the statements that read them as WITH queries.

const NAME = String.raw`("[^"]+"|[\w.]+)`;
const CREATE = new RegExp(
  String.raw`^\s*create\s+(?:or\s+replace\s+)?(unbounded\s+)?(external\s+)?(?:temporary\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?${NAME}`,
  'i',
);
const DROP = new RegExp(String.raw`^\s*drop\s+(?:table|view)\s+(?:if\s+exists\s+)?${NAME}`, 'i');
const INSERT = new RegExp(String.raw`^\s*insert\s+into\s+${NAME}\s+((?:values|select|\()[\s\S]*)$`, 'i');
const CHANGES = new RegExp(String.raw`^\s*(?:insert\s+into|update|delete\s+from|truncate\s+table|alter\s+table|copy)\s+${NAME}`, 'i');
/** What ends the type of a column. */
const CONSTRAINT = /\s+(?:not\s+null|null|primary\s+key|unique|default\b.*|check\b.*)\s*$/i;

/** The tables of a file so far. */
export class FileTables {
  /** Columns and queries of each table by its folded name; undefined = it cannot be written as a query. */
  #tables = new Map();

  /** Follows a statement that worked. `isUsual` = the file's settings are those of a server: what is made under others is not known. */
  note(statement, isUsual) {
    const sql = withoutComments(statement).trim().replace(/;$/, '').trim();
    const dropped = DROP.exec(sql);
    if (dropped !== null) this.#tables.delete(folded(dropped[1]));
    const created = CREATE.exec(sql);
    if (created !== null) {
      const [head, unbounded, external, name] = created;
      this.#tables.set(folded(name), unbounded || external || !isUsual ? undefined : tableOf(sql.slice(head.length)));
      return;
    }
    const changed = CHANGES.exec(sql);
    if (changed === null) return;
    const table = this.#tables.get(folded(changed[1]));
    const rows = INSERT.exec(sql)?.[2];
    // A list of columns before the values is not followed.
    if (table !== undefined && rows !== undefined && !rows.startsWith('(')) table.queries.push(rows);
    else if (this.#tables.has(folded(changed[1]))) this.#tables.set(folded(changed[1]), undefined);
  }

  /** The statement with all tables it reads, and how many these are; undefined = one of them is not known. */
  writtenInto(sql) {
    const needed = new Map();
    if (!this.#collect(sql, needed)) return undefined;
    if (needed.size === 0) return { sql, count: 0 };
    const definitions = [...needed].map(([name, table]) => `${quotedIfNeeded(name)} AS (${queryOf(table)})`).join(', ');
    const own = /^\s*with\s+(recursive\s+)?/i.exec(withoutComments(sql).trimStart());
    if (own === null) return { sql: `WITH ${definitions} ${sql}`, count: needed.size };
    const rest = withoutComments(sql).trimStart().slice(own[0].length);
    return { sql: `WITH ${own[1] ?? ''}${definitions}, ${rest}`, count: needed.size };
  }

  /** Definitions that others read come first. */
  #collect(sql, needed) {
    const plain = withoutComments(sql).replace(/'(?:[^']|'')*'/g, "''");
    const own = new Set(
      [...plain.matchAll(/([\w"]+)\s*(?:\([^()]*\))?\s+as\s+(?:not\s+)?(?:materialized\s+)?\(/gi)].map((match) => folded(match[1])),
    );
    for (const [name, table] of this.#tables) {
      if (needed.has(name) || own.has(name) || !names(plain, name)) continue;
      if (table === undefined) return false;
      for (const query of table.queries) if (!this.#collect(query, needed)) return false;
      needed.set(name, table);
    }
    return true;
  }
}

function names(plain, name) {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(String.raw`(?:\bfrom\b|\bjoin\b|,)[\s(]*"?${escaped}"?(?![\w.(])`, 'i').test(plain);
}

/** `(a INT, b TEXT) AS VALUES ..`, `AS SELECT ..` or `(a INT)`. */
function tableOf(rest) {
  const text = rest.trim();
  let columns;
  let query = text;
  if (text.startsWith('(')) {
    const end = closing(text, 0);
    columns = splitTop(text.slice(1, end))
      .map((column) => column.trim())
      .filter((column) => !/^(?:primary\s+key|unique|constraint|foreign\s+key)\b/i.test(column))
      .map((column) => {
        const [, name, type] = /^("[^"]+"|\w+)\s+([\s\S]+)$/.exec(column) ?? [];
        let plain = type ?? '';
        while (CONSTRAINT.test(plain)) plain = plain.replace(CONSTRAINT, '');
        return { name, type: plain };
      });
    if (columns.some(({ name }) => name === undefined)) return undefined;
    query = text.slice(end + 1).trim();
  }
  if (query === '') return columns && { columns, queries: [] };
  const as = /^as\s+/i.exec(query);
  return as === null ? undefined : { columns, queries: [query.slice(as[0].length).trim()] };
}

function queryOf({ columns, queries }) {
  if (columns === undefined) return queries.join(' UNION ALL ');
  const typed = columns.map(({ name, type }) => `CAST(${name} AS ${type}) AS ${name}`).join(', ');
  const list = columns.map(({ name }) => name).join(', ');
  if (queries.length === 0) return `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${name}`).join(', ')} WHERE false`;
  return queries.map((query) => `SELECT ${typed} FROM (${query}) AS made(${list})`).join(' UNION ALL ');
}

function folded(name) {
  const last = name.split('.').at(-1) ?? name;
  return last.startsWith('"') ? last.slice(1, -1) : last.toLowerCase();
}

function quotedIfNeeded(name) {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name}"`;
}

function withoutComments(sql) {
  return sql.replace(/'(?:[^']|'')*'|--.*$/gm, (found) => (found.startsWith('--') ? '' : found));
}

/** Place of the bracket that closes the one at `from`. */
function closing(text, from) {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')' && --depth === 0) return i;
  }
  return text.length;
}

/** Parts between commas that are in no brackets. */
function splitTop(text) {
  const parts = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '(' || char === '<') depth++;
    if (char === ')' || char === '>') depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}
