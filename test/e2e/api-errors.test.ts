import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../../..');

interface ErrorRow {
  readonly statuses: string;
  readonly shape: string;
  readonly messages: string;
}

/** Rows of the tables in docs/errors.md by code. */
function documented(): Map<string, ErrorRow> {
  const rows = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').matchAll(/^\| `([A-Z0-9_]+)` \| ([^|]+) \| (\w+) \| (.*?) \| [^|]*\|$/gm);
  return new Map([...rows].map(([, code = '', statuses = '', shape = '', messages = '']) => [code, { statuses, shape, messages }]));
}

interface RaisedError {
  readonly code: string;
  readonly status: string | undefined;
  readonly json: boolean;
  /** The constant beginning of the message, where it stands beside the code. */
  readonly start: string;
}

/** Each place in the sources that makes a catalogue error. */
function raised(): RaisedError[] {
  const folder = join(ROOT, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((file) => {
    const source = readFileSync(join(folder, file), 'utf8');
    return [...source.matchAll(/(?:new \w*Error|super)\(\{\s*code: '(\w+)',([\s\S]*?)\}\)/g)].map(([, code = '', rest = '']) => ({
      code,
      status: /status: (\d+)/.exec(rest)?.[1],
      json: rest.includes("shape: 'json'"),
      start: (/message:\s*(?:'([^'\\]*)|"([^"\\]*)|`([^`$\\]*))/.exec(rest) ?? []).slice(1).find((text) => text !== undefined) ?? '',
    }));
  });
}

/** Whether one of the documented messages, up to its first placeholder, begins as the source does. */
function says(row: ErrorRow, start: string): boolean {
  const documentedStarts = [...row.messages.matchAll(/`([^`<]*)/g)].map((match) => match[1] ?? '');
  return row.messages.includes(start) || documentedStarts.some((text) => text !== '' && start.startsWith(text));
}

test('docs/errors.md has every error of the sources with its status, shape and text', () => {
  const rows = documented();
  const errors = raised();
  assert.ok(errors.length > 50, `only ${errors.length} errors found`);
  const wrong = errors.flatMap(({ code, status, json, start }) => {
    const row = rows.get(code);
    if (row === undefined) return [`${code} is not documented`];
    const complaints: string[] = [];
    if (status !== undefined && !row.statuses.includes(status)) complaints.push(`${code} has status ${status}`);
    if (json !== /^(json|v2)$/.test(row.shape)) complaints.push(`${code} has another shape`);
    if (!says(row, start)) complaints.push(`${code} says: ${start}`);
    return complaints;
  });
  assert.deepEqual(wrong, []);
  const codes = new Set(errors.map(({ code }) => code));
  assert.deepEqual(
    [...rows.keys()].filter((code) => !codes.has(code)),
    [],
    'documented but never raised',
  );
});
