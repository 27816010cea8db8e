// Compares an answer of the server with the lines of a sqllogictest record.

const DECIMALS = 12;
/** An empty cell that may be NULL or an empty text. */
const UNCLEAR = 'NULL?';

/**
 * The answer as lines of a record; undefined when it is no table.
 * @param record of `readRecords`
 * @param {string} pretty the answer as a text table
 * @param {string | undefined} json the same answer as objects, in which nulls are left out
 */
export function resultLines(record, pretty, json) {
  const rows = tableRows(pretty);
  const objects = json === undefined ? undefined : JSON.parse(json);
  if (rows === undefined || objects === undefined) return undefined;
  const names = tableNames(pretty);
  // Of several columns of one name an object has one.
  const isAlone = names.map((name) => names.indexOf(name) === names.lastIndexOf(name));
  return rows.map((cells, i) =>
    cells.map((cell, k) => cellText(cell, record.types[k], isAlone[k] ? objects[i]?.[names[k]] : UNCLEAR)).join(' '),
  );
}

/** @param {string[]} lines of `resultLines` */
export function isSameResult(record, lines) {
  return areSame(sorted(lines, record), sorted(record.expected, record));
}

/** True when the rows are those of the record, in an order that its statement does not ask for. */
export function isSameInAnotherOrder(record, lines) {
  if (record.sort !== 'nosort' || isOrdered(record.sql)) return false;
  return isSameResult({ ...record, sort: 'rowsort' }, lines);
}

/** ORDER BY of the statement itself, not of what is in its brackets. */
function isOrdered(sql) {
  let plain = sql.replace(/'(?:[^']|'')*'/g, "''").replace(/--.*$/gm, '');
  for (let before = ''; before !== plain; ) {
    before = plain;
    plain = plain.replace(/\([^()]*\)/g, '');
  }
  return /\border\s+by\b/i.test(plain);
}

function areSame(found, wanted) {
  // A record cannot write a last row of nothing.
  const isNothing = wanted.length === 0 && found.length === 1 && found[0] === '';
  return isNothing || (found.length === wanted.length && found.every((line, i) => isSameLine(line, wanted[i])));
}

function sorted(lines, { sort }) {
  const trimmed = lines.map((line) => line.trim().replace(/\s+/g, ' '));
  if (sort === 'valuesort') return trimmed.flatMap((line) => line.split(' ')).sort();
  return sort === 'rowsort' ? trimmed.sort() : trimmed;
}

/** The server's nested values leave nulls empty where DataFusion's test runner says NULL. */
function isSameLine(found, wanted) {
  if (found === wanted) return true;
  if (found.includes(UNCLEAR)) {
    const parts = found.split(UNCLEAR).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('(?:NULL|\\(empty\\))')}$`).test(wanted);
  }
  const bare = (text) => text.replace(/\bNULL\b/g, '').replace(/\s+/g, ' ');
  if (/[[{]/.test(wanted) && bare(found) === bare(wanted)) return true;
  return / secs/.test(wanted) && wanted.replace(/\.0+ secs/g, ' secs') === found;
}

function cellText(cell, type, value) {
  if (cell === '' && value === UNCLEAR) return UNCLEAR;
  if (cell === '' && type === '?' && value !== undefined) return '';
  // The text table shows blanks as nothing.
  if (cell === '' && typeof value === 'string' && value !== '') return value;
  if (cell === '') return value === undefined || value === null ? 'NULL' : '(empty)';
  if (cell.includes('\0')) return cell.replaceAll('\0', '\\0');
  if (type === 'R') return numberText(cell);
  if (type !== 'T' && /^-?P(?=[\dT])(?:\d+D)?(?:T[\d.]+S)?$/.test(cell)) return durationText(cell);
  return cell;
}

/** A duration as the test runner writes it, without zeros at the end of its seconds. */
function durationText(cell) {
  const [, sign, days = '0', seconds = '0'] = /^(-?)P(?:(\d+)D)?(?:T([\d.]+)S)?$/.exec(cell) ?? [];
  const whole = BigInt(days) * 86_400n + BigInt(seconds.split('.')[0]);
  const part = (value) => `${sign !== '' && value !== 0n ? '-' : ''}${value}`;
  const fraction = seconds.includes('.') ? `.${seconds.split('.')[1]}` : '';
  return `${part(whole / 86_400n)} days ${part((whole / 3600n) % 24n)} hours ${part((whole / 60n) % 60n)} mins ${part(whole % 60n)}${fraction} secs`;
}

/** A number as the test runner writes it: no exponent, twelve decimals, no zeros at the end. */
function numberText(text) {
  if (/^[-+]?inf/i.test(text)) return text.startsWith('-') ? '-Infinity' : 'Infinity';
  if (!/^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(text)) return text;
  const [, sign, whole, fraction = '', exponent = '0'] = /^([-+]?)(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(text) ?? [];
  const digits = `${whole}${fraction}`;
  const scale = fraction.length - Number(exponent);
  let value = BigInt(digits === '' ? '0' : digits);
  let decimals = scale;
  if (decimals < 0) {
    value *= 10n ** BigInt(-decimals);
    decimals = 0;
  }
  if (decimals > DECIMALS) {
    const divisor = 10n ** BigInt(decimals - DECIMALS);
    const rest = value % divisor;
    value /= divisor;
    if (rest * 2n > divisor || (rest * 2n === divisor && value % 2n === 1n)) value += 1n;
    decimals = DECIMALS;
  }
  const padded = String(value).padStart(decimals + 1, '0');
  const end = padded.length - decimals;
  const rest = padded.slice(end).replace(/0+$/, '');
  const shown = rest === '' ? padded.slice(0, end) : `${padded.slice(0, end)}.${rest}`;
  return `${sign === '-' && shown !== '0' ? '-' : ''}${shown}`;
}

function tableNames(pretty) {
  const [border = '', ...lines] = pretty.split('\n');
  // A name may have several lines.
  const parts = lines.slice(0, Math.max(0, lines.indexOf(border))).map((line) => cut(line, border));
  return (parts[0] ?? []).map((_, column) =>
    parts
      .map((line) => line[column])
      .join('\n')
      .trim(),
  );
}

/** Cells of a text table; undefined when the text is none. */
function tableRows(pretty) {
  const lines = pretty.split('\n').filter((line) => line !== '');
  const [border] = lines;
  if (border === undefined || !border.startsWith('+')) return lines.length === 0 || border === '++' ? [] : undefined;
  const rows = [];
  for (const line of lines.slice(lines.indexOf(border, 1) + 1, -1)) {
    const cells = cut(line, border);
    rows.push(cells);
  }
  return rows;
}

/** Cells by the places of the border's crossings; wide characters take their places in the text as they are counted. */
function cut(line, border) {
  const widths = border
    .split('+')
    .slice(1, -1)
    .map((part) => part.length);
  const cells = [];
  let rest = line.slice(1);
  for (const width of widths) {
    let end = 0;
    let seen = 0;
    const points = [...rest];
    while (end < points.length && seen < width) seen += columns(points[end++]);
    cells.push(points.slice(0, end).join('').trim());
    rest = points.slice(end + 1).join('');
  }
  return cells;
}

function columns(point) {
  const code = point.codePointAt(0);
  if (/\p{Mark}/u.test(point) || code === 0x200d) return 0;
  return (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xff00 && code <= 0xff60) ||
    code >= 0x1f300
    ? 2
    : 1;
}
