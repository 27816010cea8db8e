import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readProductVersion, versionLine } from '../../../src/shared/version.ts';

describe('version', () => {
  it('comes from package.json and has the 3.10 major and minor', () => {
    assert.match(readProductVersion().version, /^3\.10\.0-ts\.[0-9]+$/);
  });

  it('reads the revision that the build wrote, else unknown', () => {
    const root = mkdtempSync(join(tmpdir(), 'version-'));
    try {
      mkdirSync(join(root, 'dist', 'shared'), { recursive: true });
      writeFileSync(join(root, 'package.json'), '{"name":"influxdb3-serve","version":"3.10.0-ts.9"}');
      assert.deepEqual(readProductVersion(join(root, 'dist', 'shared')), { version: '3.10.0-ts.9', revision: 'unknown' });
      writeFileSync(join(root, 'dist', 'revision.txt'), '0123abcd\n');
      assert.deepEqual(readProductVersion(join(root, 'dist', 'shared')), { version: '3.10.0-ts.9', revision: '0123abcd' });
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('prints the line that scripts cut on commas', () => {
    const line = versionLine({ version: '3.10.0-ts.1', revision: '0123abcd' });
    assert.equal(line, 'influxdb3 InfluxDB 3 Core (TypeScript), 3.10.0-ts.1, revision 0123abcd');
    assert.match(line, /^influxdb3 .+, \d+\.\d+\.\d+.*, revision [0-9a-f]+/);
  });
});
