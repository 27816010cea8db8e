import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { configurationDoc } from '../../../src/config/generate/configuration-doc.ts';
import { envExample } from '../../../src/config/generate/env-example.ts';
import { serveOptionEntries } from '../../../src/config/index.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', '..');
const specs = serveOptionEntries().map(([, spec]) => spec);

describe('files generated from the options table (run `npm run docs` when one of these fails)', () => {
  it('.env.example is up to date', () => {
    assert.equal(readFileSync(join(root, '.env.example'), 'utf8'), envExample());
  });

  it('docs/configuration.md is up to date', () => {
    assert.equal(readFileSync(join(root, 'docs', 'configuration.md'), 'utf8'), configurationDoc());
  });

  it('.env.example has only comments, and every variable that is not hidden', () => {
    const lines = envExample().split('\n');
    assert.ok(lines.every((line) => line === '' || line.startsWith('#')));
    for (const spec of specs) {
      if (spec.env !== undefined && !spec.hidden)
        assert.ok(
          lines.some((line) => line.startsWith(`#${spec.env}=`)),
          spec.env,
        );
    }
  });
});

describe('the options table', () => {
  it('has every flag and every environment name once', () => {
    const flags = specs.flatMap((spec) => [spec.flag, ...(spec.flagAliases ?? [])]);
    const names = specs.flatMap((spec) => [...(spec.env === undefined ? [] : [spec.env]), ...(spec.envAliases ?? [])]);
    assert.equal(new Set(flags).size, flags.length);
    assert.equal(new Set(names).size, names.length);
  });

  it('explains every option in one line', () => {
    for (const spec of specs) assert.match(spec.help, /^[A-Z][^\n]{3,110}[^.\n]$/, spec.flag);
  });
});
