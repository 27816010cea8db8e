import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer, testDirectory } from '../support/server.ts';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../../..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');

interface Example {
  readonly command: string;
  readonly status: number;
  readonly body: string;
}

/** Each `sh` block that is followed by an `http` block: a curl command, the status and the body of its answer. */
function examples(): Example[] {
  const found = DOCUMENT.matchAll(/```sh\n(curl [\s\S]*?)\n```\n\n```http\n(\d{3})\n([\s\S]*?)```/g);
  return [...found].map(([, command = '', status = '', body = '']) => ({ command, status: Number(status), body: body.trimEnd() }));
}

/** Splits a command as a shell does: quotes, continued lines, variables outside single quotes. */
function words(command: string, variables: Readonly<Record<string, string>>): string[] {
  const expand = (text: string): string => text.replaceAll(/\$([A-Z]+)/g, (_, name: string) => variables[name] ?? assert.fail(name));
  const parts = command.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g);
  return [...parts].map(([, single, double, bare]) => single ?? expand(double ?? bare ?? ''));
}

/** Runs the few options of curl that the document uses. */
async function run(command: string, variables: Readonly<Record<string, string>>): Promise<Response> {
  const [name, ...rest] = words(command, variables);
  assert.equal(name, 'curl');
  let method: string | undefined;
  let url = '';
  let body: string | FormData | undefined;
  const headers: Record<string, string> = {};
  const encoded: string[] = [];
  while (rest.length > 0) {
    const word = rest.shift() ?? '';
    if (word === '-X') method = rest.shift();
    else if (word === '-G') method = 'GET';
    else if (word === '-d' || word === '--data-binary') body = rest.shift();
    else if (word === '-F') {
      const [field = '', ...value] = (rest.shift() ?? '').split('=');
      body = body instanceof FormData ? body : new FormData();
      body.append(field, value.join('='));
    } else if (word === '-H') {
      const [header = '', value = ''] = (rest.shift() ?? '').split(': ');
      headers[header.toLowerCase()] = value;
    } else if (word === '--data-urlencode') {
      const [param = '', ...value] = (rest.shift() ?? '').split('=');
      encoded.push(`${param}=${encodeURIComponent(value.join('='))}`);
    } else {
      assert.match(word, /^http/, `an option that this test does not know: ${word}`);
      url = word;
    }
  }
  if (typeof body === 'string') headers['content-type'] ??= 'application/x-www-form-urlencoded';
  const query = encoded.length === 0 ? '' : `?${encoded.join('&')}`;
  return fetch(url + query, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, ...(body === undefined ? {} : { body }) });
}

/** A pattern of the expected body: `<name>` is any value, `…` any text. */
function pattern(body: string): RegExp {
  const escaped = body.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(
    `^${escaped.replaceAll(/<(token|hash|time|id|version|revision|number)>/g, '[^",}\\n]+').replaceAll('…', '[\\s\\S]*')}$`,
  );
}

test('every example of docs/api.md answers as the document says', async (t) => {
  const all = examples();
  assert.ok(all.length > 40, `only ${all.length} examples found`);
  const server = await startServer(t, await testDirectory(t), { bare: true, args: ['--disable-telemetry-upload'] });
  const variables: Record<string, string> = { URL: server.url };
  const differences: string[] = [];
  for (const { command, status, body } of all) {
    const response = await run(command, variables);
    const text = (await response.text()).trimEnd();
    const operator = /"name":"_admin","token":"(apiv3_[\w-]+)"/.exec(text)?.[1];
    if (operator !== undefined) variables['TOKEN'] = operator;
    if (response.status !== status || !pattern(body).test(text))
      differences.push(`${command}\n--> ${response.status}\n${text.slice(0, 2000)}`);
  }
  assert.deepEqual(differences, []);
});

test('docs/api.md names every path that the server has', () => {
  const folders = ['src/server/http/routes', 'src/telemetry'];
  const files = folders.flatMap((folder) => readdirSync(join(ROOT, folder)).map((file) => join(ROOT, folder, file)));
  const sources = files.filter((file) => file.endsWith('.ts')).map((file) => readFileSync(file, 'utf8'));
  const literal = /['`](\/(?:api\/v\d\/[a-z0-9_/]+|write|query|health|ping|metrics|telemetry))['`]/g;
  const paths = new Set(sources.flatMap((source) => [...source.matchAll(literal)].map((match) => match[1] ?? '')));
  assert.ok(paths.size > 20, `only ${paths.size} paths found`);
  assert.deepEqual(
    [...paths].filter((path) => !DOCUMENT.includes(path)),
    [],
  );
});
