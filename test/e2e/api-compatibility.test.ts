import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../../..');

test('docs/compatibility.md cites tests that exist', () => {
  const cited = [...readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8').matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1] ?? '');
  assert.ok(cited.length > 20, `only ${cited.length} tests cited`);
  assert.deepEqual(
    cited.filter((path) => !existsSync(join(ROOT, path))),
    [],
  );
});
