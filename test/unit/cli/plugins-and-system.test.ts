import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { cli, withFake } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true }));

describe('plugins from this machine', () => {
  const plugin = join(folder, 'multi');
  mkdirSync(join(plugin, 'sub', '__pycache__'), { recursive: true });
  writeFileSync(join(plugin, '__init__.py'), 'entry');
  writeFileSync(join(plugin, 'sub', 'a.py'), 'a');
  writeFileSync(join(plugin, 'sub', 'notes.txt'), 'no');
  writeFileSync(join(plugin, 'sub', '__pycache__', 'b.py'), 'no');

  it('create trigger --upload sends each Python file first (12.5)', async () => {
    await withFake(
      () => ({}),
      async (fake) => {
        const args = ['create', 'trigger', '-d', 'db', '-H', fake.url, '--path', plugin, '--upload', '--trigger-spec', 'table:t', 'tr'];
        assert.equal((await cli(args)).code, 0);
        const bodies = fake.requests.map(({ path, body }) => [path, JSON.parse(body.toString()) as Record<string, unknown>] as const);
        assert.deepEqual(bodies.slice(0, 2), [
          ['/api/v3/plugins/files', { plugin_name: 'multi/__init__.py', content: 'entry' }],
          ['/api/v3/plugins/files', { plugin_name: 'multi/sub/a.py', content: 'a' }],
        ]);
        assert.equal(bodies[2]?.[1]['plugin_filename'], 'multi');
      },
    );
  });

  it('update trigger replaces a folder in one request (14)', async () => {
    await withFake(
      () => ({}),
      async (fake) => {
        const { stdout } = await cli(['update', 'trigger', '-d', 'db', '-H', fake.url, '-t', 'tr', '-p', plugin]);
        assert.equal(stdout, "Trigger 'tr' updated successfully (atomic directory replacement)\n");
        assert.deepEqual([fake.only.method, fake.only.path, fake.only.query], ['PUT', '/api/v3/plugins/directory', { db: 'db' }]);
        assert.deepEqual(fake.onlyJson, {
          plugin_name: 'tr',
          files: [
            { relative_path: '__init__.py', content: 'entry' },
            { relative_path: 'sub/a.py', content: 'a' },
          ],
        });
      },
    );
  });

  it('a folder without its entry file is refused', async () => {
    const { stderr } = await cli(['update', 'trigger', '-d', 'db', '-t', 'tr', '-p', join(plugin, 'sub')]);
    assert.equal(stderr, `Update command failed: Multi-file plugin directory must contain __init__.py: ${join(plugin, 'sub')}\n`);
  });

  it('a server that refuses the trigger is reported twice (12.5)', async () => {
    await withFake(
      () => ({ status: 404, body: 'Database not found db' }),
      async (fake) => {
        const { stderr } = await cli([
          'create',
          'trigger',
          '-d',
          'db',
          '-H',
          fake.url,
          '--path',
          'p.py',
          '--trigger-spec',
          'all_tables',
          'tr',
        ]);
        const text = 'server responded with error [404 Not Found]: Database not found db\n';
        assert.equal(stderr, `Failed to create trigger: ${text}Create command failed: ${text}`);
      },
    );
  });
});

describe('show system', () => {
  it('an unknown table lists the known ones', async () => {
    await withFake(
      ({ body }) =>
        body.includes('meow')
          ? { status: 400, body: "Error during planning: table 'public.system.meow' not found" }
          : { body: '[{"table_name":"distinct_caches"},{"table_name":"queries"}]' },
      async (fake) => {
        const { code, stderr } = await cli(['show', 'system', '-H', fake.url, '-d', 'db', 'table', 'meow']);
        assert.equal(code, 1);
        assert.equal(
          stderr,
          'Show command failed: system table \'meow\' not found: please use a valid system table name: ["distinct_caches", "queries"]\n\n',
        );
      },
    );
  });

  it('summary prints each table', async () => {
    await withFake(
      ({ body }) => (body.includes('DISTINCT') ? { body: '[{"table_name":"a"},{"table_name":"b"}]' } : { body: '++\n++' }),
      async (fake) => {
        const { stdout } = await cli(['show', 's', '-H', fake.url, '-d', 'db', 'summary']);
        assert.equal(stdout, 'a summary:\n++\n++\nb summary:\n++\n++\n');
      },
    );
  });
});
