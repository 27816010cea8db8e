import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The project folder: the first one above this file that has the package file. */
function root(folder = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(folder, 'package.json')) ? folder : root(dirname(folder));
}

it('tests start servers with telemetry off, or with an endpoint on this machine', () => {
  const folder = join(root(), 'test');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const starters = files.filter((file) => /bare: true/.test(readFileSync(join(folder, file), 'utf8')));
  assert.ok(starters.length > 0);
  for (const file of starters) {
    const text = readFileSync(join(folder, file), 'utf8');
    assert.ok(/--disable-telemetry-upload|--telemetry-endpoint|TELEMETRY_DISABLE_UPLOAD/.test(text), `${file} starts servers that report`);
  }
  assert.match(readFileSync(join(folder, 'support', 'server.ts'), 'utf8'), /'--disable-telemetry-upload'/);
});
