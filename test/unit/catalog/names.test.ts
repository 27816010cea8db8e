import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateDatabaseName } from '../../../src/catalog/index.ts';

const CHARACTERS = 'invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens';
const SLASH = "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'";

const REFUSED: readonly (readonly [string, string])[] = [
  ['', 'db name cannot be empty'],
  ['a'.repeat(512), 'db name too long: max 511'],
  ['é'.repeat(256), 'db name too long: max 511'],
  ['?x', 'db name did not start with a number or letter'],
  ['_internal', 'db name did not start with a number or letter'],
  ['/a', 'db name did not start with a number or letter'],
  ['a.b', CHARACTERS],
  ['aé', CHARACTERS],
  ['a b', CHARACTERS],
  ['a/b/c', SLASH],
  ['a/', SLASH],
];

for (const [name, message] of REFUSED) {
  test(`refuses the database name '${name.slice(0, 12)}' (${name.length})`, () => {
    assert.throws(() => validateDatabaseName(name), { message, status: 400, shape: 'json' });
  });
}

test('accepts letters, digits, underscore, hyphen and one slash', () => {
  for (const name of ['a', '0', 'My_db-1', 'db/rp', 'a'.repeat(511)]) assert.doesNotThrow(() => validateDatabaseName(name));
});
