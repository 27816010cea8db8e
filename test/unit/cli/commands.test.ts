import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cli, withFake } from './support.ts';

interface Expected {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly stdout: string;
  readonly status?: number;
  readonly body?: string;
}

const trigger = '/api/v3/configure/processing_engine_trigger';

/** What each command sends and prints. */
const calls: readonly (readonly [readonly string[], Expected])[] = [
  [
    ['create', 'database', 'foo'],
    {
      method: 'POST',
      path: '/api/v3/configure/database',
      json: { db: 'foo', retention_period: null },
      stdout: 'Database "foo" created successfully\n',
    },
  ],
  [
    ['create', 'database', '--retention-period', '60d', 'foo'],
    {
      method: 'POST',
      path: '/api/v3/configure/database',
      json: { db: 'foo', retention_period: '1month 29days 13h 26m 24s' },
      stdout: 'Database "foo" created successfully\n',
    },
  ],
  [
    ['create', 'table', '-d', 'db', 'tbl', '--tags', 'a,b', '--fields', 'x:float64,y:utf8', '--fields', 'z:bool'],
    {
      method: 'POST',
      path: '/api/v3/configure/table',
      json: {
        db: 'db',
        table: 'tbl',
        tags: ['a', 'b'],
        fields: [
          { name: 'x', type: 'float64' },
          { name: 'y', type: 'utf8' },
          { name: 'z', type: 'bool' },
        ],
      },
      stdout: 'Table "db"."tbl" created successfully\n',
    },
  ],
  [
    ['create', 'last_cache', '-d', 'db', '-t', 't', '--key-columns', 'a,b', 'c'],
    {
      method: 'POST',
      path: '/api/v3/configure/last_cache',
      json: { db: 'db', table: 't', name: 'c', key_columns: ['a', 'b'], count: 1, ttl: 14_400 },
      status: 201,
      body: '{"sequence_number":5}',
      stdout: 'new cache created: {\n  "sequence_number": 5\n}\n',
    },
  ],
  [
    ['create', 'distinct_cache', '-d', 'db', '-t', 't', '--columns', 'a'],
    {
      method: 'POST',
      path: '/api/v3/configure/distinct_cache',
      json: { db: 'db', table: 't', columns: ['a'], max_cardinality: 100_000, max_age: 86_400 },
      status: 204,
      stdout: 'a cache already exists for the provided parameters\n',
    },
  ],
  [
    [
      'create',
      'trigger',
      '-d',
      'db',
      '--path',
      'p.py',
      '--trigger-spec',
      ' every: 90s ',
      '--trigger-arguments',
      'a=1=2,b=',
      '--disabled',
      'tr',
    ],
    {
      method: 'POST',
      path: trigger,
      json: {
        db: 'db',
        plugin_filename: 'p.py',
        trigger_name: 'tr',
        trigger_settings: { run_async: false, error_behavior: 'log' },
        trigger_specification: 'every:1m 30s',
        trigger_arguments: { a: '1=2', b: '' },
        disabled: true,
      },
      stdout: 'Trigger tr created successfully\n',
    },
  ],
  [
    ['delete', 'database', '-y', '--hard-delete', 'NOW', 'foo'],
    {
      method: 'DELETE',
      path: '/api/v3/configure/database',
      query: { db: 'foo', hard_delete_at: 'now' },
      stdout: 'Database "foo" deleted successfully\n',
    },
  ],
  [
    ['delete', 'table', '-d', 'db', '-y', '--hard-delete', '2030-01-01T00:00:00+02:00', 't'],
    {
      method: 'DELETE',
      path: '/api/v3/configure/table',
      query: { db: 'db', table: 't', hard_delete_at: '2030-01-01T00:00:00+02:00' },
      stdout: 'Table "db"."t" deleted successfully\n',
    },
  ],
  [
    ['delete', 'trigger', '-d', 'db', '--force', 'tr'],
    { method: 'DELETE', path: trigger, json: { db: 'db', trigger_name: 'tr', force: true }, stdout: 'Trigger tr deleted successfully\n' },
  ],
  [
    ['delete', 'token', '--token-name', 'ci', '-y'],
    { method: 'DELETE', path: '/api/v3/configure/token', query: { token_name: 'ci' }, stdout: 'Token "ci" deleted successfully\n' },
  ],
  [
    ['delete', 'last_cache', '-d', 'db', '-t', 't', 'c'],
    {
      method: 'DELETE',
      path: '/api/v3/configure/last_cache',
      json: { db: 'db', table: 't', name: 'c' },
      stdout: 'last cache deleted successfully\n',
    },
  ],
  [
    ['delete', 'distinct_cache', '-d', 'db', '-t', 't', 'c'],
    {
      method: 'DELETE',
      path: '/api/v3/configure/distinct_cache',
      json: { db: 'db', table: 't', name: 'c' },
      stdout: 'distinct cache deleted successfully\n',
    },
  ],
  [
    ['update', 'database', '-d', 'db', '-r', 'None'],
    {
      method: 'PUT',
      path: '/api/v3/configure/database',
      json: { db: 'db', retention_period: null },
      stdout: 'Database "db" updated successfully\n',
    },
  ],
  [
    ['update', 'database', '-d', 'db', '-r', '30d'],
    {
      method: 'PUT',
      path: '/api/v3/configure/database',
      json: { db: 'db', retention_period: '30days' },
      stdout: 'Database "db" updated successfully\n',
    },
  ],
  [
    ['enable', 'trigger', '-d', 'db', 'tr'],
    { method: 'POST', path: `${trigger}/enable`, query: { db: 'db', trigger_name: 'tr' }, stdout: 'Trigger tr enabled successfully\n' },
  ],
  [
    ['disable', 'trigger', '-d', 'db', 'tr'],
    { method: 'POST', path: `${trigger}/disable`, query: { db: 'db', trigger_name: 'tr' }, stdout: 'Trigger tr disabled successfully\n' },
  ],
  [
    ['show', 'databases', '--show-deleted', '--format', 'json'],
    {
      method: 'GET',
      path: '/api/v3/configure/database',
      query: { format: 'json', show_deleted: 'true' },
      body: '[{"iox::database":"_internal"}]',
      stdout: '[{"iox::database":"_internal"}]\n',
    },
  ],
  [
    ['show', 'tokens'],
    {
      method: 'POST',
      path: '/api/v3/query_sql',
      json: { db: '_internal', q: 'SELECT * FROM system.tokens', format: 'pretty', params: null },
      body: '++\n++',
      stdout: '++\n++\n',
    },
  ],
  [
    ['show', 'system', '-d', 'db', 'table', 'last_caches', '-s', 'a,b', '-l', '0', '--format', 'csv'],
    {
      method: 'POST',
      path: '/api/v3/query_sql',
      json: { db: 'db', q: 'SELECT "a", "b" FROM system."last_caches" ORDER BY "count"', format: 'csv', params: null },
      stdout: '\n',
    },
  ],
  [
    ['test', 'wal_plugin', '-d', 'db', '--lp', 'a b=1', '--input-arguments', 'k=v', 'p.py'],
    {
      method: 'POST',
      path: '/api/v3/plugin_test/wal',
      json: { filename: 'p.py', database: 'db', input_lp: 'a b=1', cache_name: null, input_arguments: { k: 'v' } },
      body: '{"log_lines":[],"errors":[]}',
      stdout: '{\n  "log_lines": [],\n  "errors": []\n}\n',
    },
  ],
  [
    ['test', 'schedule_plugin', '-d', 'db', '--schedule', '0 0 * * * *', 'p.py'],
    {
      method: 'POST',
      path: '/api/v3/plugin_test/schedule',
      json: { filename: 'p.py', database: 'db', schedule: '0 0 * * * *', cache_name: null, input_arguments: null },
      body: '{}',
      stdout: '{}\n',
    },
  ],
  [
    ['install', 'package', 'a', 'b'],
    { method: 'POST', path: '/api/v3/configure/plugin_environment/install_packages', json: { packages: ['a', 'b'] }, stdout: '' },
  ],
  [
    ['install', 'package', '-r', 'req.txt'],
    {
      method: 'POST',
      path: '/api/v3/configure/plugin_environment/install_requirements',
      json: { requirements_location: 'req.txt' },
      stdout: '',
    },
  ],
  [['healthcheck'], { method: 'GET', path: '/health', stdout: 'OK\n' }],
  [
    ['telemetry', 'status', '--format', 'json'],
    { method: 'GET', path: '/api/v3/telemetry/status', body: '{"state":"off"}', stdout: '{"state":"off"}\n' },
  ],
];

describe('client commands', () => {
  for (const [args, expected] of calls) {
    it(`influxdb3 ${args.join(' ')}`, async () => {
      const answer = { status: expected.status ?? 200, body: expected.body ?? '' };
      await withFake(
        () => answer,
        async (fake) => {
          const result = await cli(args, { env: { INFLUXDB3_HOST_URL: fake.url } });
          assert.deepEqual([result.code, result.stderr, result.stdout], [0, '', expected.stdout]);
          const { method, path, query } = fake.only;
          assert.deepEqual({ method, path, query }, { method: expected.method, path: expected.path, query: expected.query ?? {} });
          if (expected.json === undefined) assert.equal(fake.only.body.length, 0);
          else assert.deepEqual(fake.onlyJson, expected.json);
        },
      );
    });
  }
});

describe('confirmation of delete', () => {
  for (const [input, accepted] of [
    ['YES\n', true],
    ['y', true],
    ['no\n', false],
    ['', false],
  ] as const) {
    it(`${JSON.stringify(input)} ${accepted ? 'deletes' : 'does not'}`, async () => {
      await withFake(
        () => ({}),
        async (fake) => {
          const { code, stdout, stderr } = await cli(['delete', 'table', '-d', 'db', '-H', fake.url, 't'], { input });
          const question = 'Are you sure you want to delete "db"."t"? Enter \'yes\' or \'y\' to confirm\n';
          assert.ok(stderr.startsWith(question));
          assert.equal(fake.requests.length, accepted ? 1 : 0);
          assert.deepEqual([code, stdout], accepted ? [0, 'Table "db"."t" deleted successfully\n'] : [1, '']);
          if (!accepted) assert.ok(stderr.includes('Delete command failed: Cannot proceed without confirmation\n'));
        },
      );
    });
  }

  it('the operator token is never deleted and nothing is asked (13.4)', async () => {
    const { code, stdout, stderr } = await cli(['delete', 'token', '--token-name', '_admin', '-H', 'http://127.0.0.1:1']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^Delete command failed: the operator token "_admin" is required and cannot be deleted\n {2}hint: .*--regenerate/);
  });
});

describe('failures before a request', () => {
  for (const [args, text] of [
    [['update', 'database', '-d', 'db'], 'Update command failed: --retention-period is required for update database\n'],
    [['update', 'database', '-d', 'db', '-r', 'soon'], 'Update command failed: expected number at 0\n'],
    [['update', 'trigger', '-d', 'db', '-t', 't', '-p', '/none/x.py'], 'Update command failed: Path does not exist: /none/x.py\n'],
    [
      ['create', 'trigger', '-d', 'db', '--trigger-spec', 'all_tables', 't'],
      'Create command failed: Either --path or --plugin-filename must be provided\n',
    ],
    [['test', 'wal_plugin', '-d', 'db', 'p.py'], 'Test command failed: either --lp or --file must be provided\n'],
    [['write', '-d', 'db'], 'Write command failed: No input from stdin detected, no string was passed in, and no file path was given\n'],
    [
      ['write', '-d', 'db', 'cpu', 'a=1'],
      'Write command failed: ensure that a single protocol line string is provided as the final argument, enclosed in quotes\n',
    ],
  ] as const) {
    it(`influxdb3 ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await cli(args);
      assert.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: text });
    });
  }
});
