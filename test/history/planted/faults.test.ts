import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plantedFaults } from './faults.ts';

const root = fileURLToPath(new URL('../../../../..', import.meta.url));

for (const { name, edits } of plantedFaults) {
  test(`the planted fault ${name} still fits the sources`, () => {
    for (const { file, find, replace } of edits) {
      const text = readFileSync(join(root, file), 'utf8');
      assert.equal(text.split(find).length - 1, 1, `${file}: ${find}`);
      assert.notEqual(find, replace);
    }
  });
}

test('each planted fault has a name of its own', () => {
  assert.equal(new Set(plantedFaults.map(({ name }) => name)).size, plantedFaults.length);
});
