import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withMemoryNamed } from '../../../src/duckdb/failure.ts';

const said = (text: string): string => (withMemoryNamed(new Error(text)) as Error).message;

test('a want of memory is called by one name, whichever call met it', () => {
  for (const text of [
    'Failed to append: could not allocate block of size 256.0 KiB (63.9 MiB/64.0 MiB used)',
    'Failed to append: Failed to commit: failed to pin block of size 256.0 KiB (63.9 MiB/64.0 MiB used)',
    'TransactionContext Error: Failed to commit: could not allocate block of size 256.0 KiB (63.9 MiB/64.0 MiB used)',
  ]) {
    assert.equal(said(text), `Out of Memory Error: ${text}`);
  }
});

test('other failures keep their text, whatever a user wrote into it', () => {
  for (const text of [
    'Out of Memory Error: could not allocate block of size 256.0 KiB (63.9 MiB/64.0 MiB used)',
    "Conversion Error: Could not convert string 'Failed to append: could not allocate block' to INT64",
    'TransactionContext Error: Failed to commit: FATAL Error: could not allocate',
  ]) {
    assert.equal(said(text), text);
  }
  assert.equal(withMemoryNamed('no error'), 'no error');
});
