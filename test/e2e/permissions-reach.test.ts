import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { FLIGHT_RIGHTS, type FlightMethod } from '../../src/server/rights.ts';
import { FlightTestClient, tableOf } from '../support/flight-client.ts';
import { command, descriptor, rows as valuesOf } from '../support/flight-sql-client.ts';
import { READERS_OF_A } from './permissions-samples.ts';
import {
  ADMINS,
  bodyOf,
  GRANTS,
  KINDS,
  type Kind,
  type Limited,
  makeToken,
  params,
  rows,
  sharedLimited,
  sql,
  v1,
  write,
} from './permissions-support.ts';
import { ask } from './security-support.ts';

const limited = sharedLimited();

describe('what tokens with permissions can find', () => {
  test('lists show the databases that the token may read', async () => {
    const visible: Readonly<Partial<Record<Kind, readonly string[]>>> = {
      readA: ['a', 'a/week'],
      writeA: [],
      bothA: ['a', 'a/week'],
      bothB: ['b', 'b/week'],
      policyA: ['a/week'],
      readAll: ['a', 'a/week', 'b', 'b/week'],
      writeAll: [],
      internal: ['_internal'],
      nowhere: [],
      system: [],
      admin: ['_internal', 'a', 'a/week', 'b', 'b/week'],
    };
    for (const [kind, names] of Object.entries(visible) as [Kind, readonly string[]][]) {
      const token = limited().tokens[kind];
      const listed = JSON.parse(
        (await ask(`${limited().url}/api/v3/configure/database?format=json&show_deleted=true`, { token })).text,
      ) as Record<string, string>[];
      assert.deepEqual(listed.map((row) => row['iox::database']).sort(), [...names].sort(), kind);
      const { buckets } = JSON.parse((await ask(`${limited().url}/api/v2/buckets`, { token })).text) as {
        buckets: { name: string; id: string }[];
      };
      assert.deepEqual(buckets.map(({ name }) => name).sort(), [...names].sort(), kind);
      const one = await ask(`${limited().url}/api/v2/buckets?name=b`, { token });
      assert.equal(one.text.includes('"b"'), names.includes('b'), kind);
      const shown = (await v1(limited().url, token, 'SHOW DATABASES')).text;
      for (const name of ['a', 'b', 'a/week'])
        assert.equal(shown.includes(`["${name}"]`), names.includes(name), `${kind} ${name} ${shown}`);
      const policies = (await ask(`${limited().url}/api/v3/query_influxql?${params({ q: 'SHOW RETENTION POLICIES' })}`, { token })).text;
      assert.equal(policies.includes('"b"'), names.includes('b'), `${kind} ${policies}`);
    }
    const [b] = (
      JSON.parse((await ask(`${limited().url}/api/v2/buckets?name=b`, { token: limited().tokens.admin })).text) as {
        buckets: { id: string }[];
      }
    ).buckets;
    assert.equal((await ask(`${limited().url}/api/v2/buckets/${b?.id}`, { token: limited().tokens.bothB })).status, 200);
    const hidden = await ask(`${limited().url}/api/v2/buckets/${b?.id}`, { token: limited().tokens.bothA });
    assert.deepEqual(
      [hidden.status, hidden.text],
      [404, (await ask(`${limited().url}/api/v2/buckets/0123456789abcdef`, { token: limited().tokens.admin })).text],
    );
  });

  test('SQL reaches its own database only, also through system tables and the information schema', async () => {
    assert.equal((await sql(limited().url, limited().tokens.admin, 'b', "SELECT 'whispered' AS text FROM only_b")).status, 200);
    const token = limited().tokens.readA;
    for (const q of [
      'SELECT * FROM b.m',
      'SELECT * FROM "b"."m"',
      'SELECT * FROM public.b.m',
      'SELECT * FROM only_b',
      'SELECT * FROM iox.only_b',
      'SELECT * FROM public.iox.only_b',
      'SELECT * FROM (SELECT * FROM b.iox.m)',
      'WITH x AS (SELECT * FROM b.iox.only_b) SELECT * FROM x',
      'SELECT * FROM m UNION ALL SELECT * FROM b.iox.m',
      "SELECT * FROM last_cache('b.m')",
      "SELECT * FROM read_parquet('**/*.parquet')",
      'SELECT * FROM system.tokens',
      'SELECT * FROM system.databases',
      'SELECT * FROM system.tables',
      'SELECT * FROM duckdb_tables()',
      'SELECT * FROM sqlite_master',
      'SELECT * FROM pg_catalog.pg_tables',
      'SHOW TABLES FROM b',
      'USE b',
      "ATTACH 'x'",
      'SET search_path = b',
    ]) {
      const { status, text } = await sql(limited().url, token, 'a', q);
      assert.ok(status >= 400 && status < 500 && status !== 403, `${q}: ${status} ${text}`);
    }
    for (const q of [
      'SELECT * FROM information_schema.tables',
      'SELECT * FROM information_schema.columns',
      'SELECT * FROM information_schema.schemata',
      'SELECT * FROM system.queries',
      'SELECT * FROM system.influxdb_schema',
      'SELECT * FROM system.parquet_files',
      'SELECT * FROM system.last_caches',
      'SELECT * FROM system.distinct_caches',
      'SELECT * FROM system.processing_engine_triggers',
      'SELECT * FROM system.processing_engine_trigger_arguments',
      'SELECT * FROM system.processing_engine_logs',
      'SHOW TABLES',
      'SHOW COLUMNS FROM m',
    ]) {
      const { status, text } = await sql(limited().url, token, 'a', q);
      assert.equal(status, 200, `${q}: ${text}`);
      assert.doesNotMatch(text, q.includes('queries') ? /whispered/ : /only_b|tag_of_b|secret|whispered/, q);
    }
    const logged = (as: string, db: string) =>
      rows(limited().url, as, db, "SELECT query_text FROM system.queries WHERE query_text LIKE '%''whispered'' AS text%'");
    assert.equal((await logged(limited().tokens.admin, 'a')).length > 0, true); // an admin sees them in any database
    assert.equal((await logged(limited().tokens.bothB, 'b')).length > 0, true);
    assert.deepEqual(
      (await logged(token, 'a')).map((row) => row['query_text']).filter((text) => !String(text).includes('system.queries')),
      [],
    );
    assert.deepEqual(
      (await rows(limited().url, limited().tokens.internal, '_internal', 'SELECT * FROM system.queries')).filter(
        (row) => !String(row['query_text']).includes('system.'),
      ),
      [],
    );
    assert.equal((await sql(limited().url, limited().tokens.bothAll, '_internal', 'SELECT * FROM system.tokens')).status, 403);
    assert.equal(
      (await rows(limited().url, limited().tokens.internal, '_internal', 'SELECT * FROM system.tokens')).length,
      Object.keys(GRANTS).length + 3,
    );
  });

  test('SHOW QUERIES shows what runs on the databases that the token may read', async () => {
    const abort = new AbortController();
    const body = JSON.stringify({
      db: 'b',
      q: 'SELECT count(*) FROM generate_series(1, 1000000) AS x CROSS JOIN generate_series(1, 1000000) AS y',
    });
    const headers = { authorization: `Bearer ${limited().tokens.admin}`, 'content-type': 'application/json' };
    const long = fetch(`${limited().url}/api/v3/query_sql`, { method: 'POST', body, headers, signal: abort.signal }).catch(() => undefined);
    try {
      for (;;) {
        const { text } = await v1(limited().url, limited().tokens.bothB, 'SHOW QUERIES');
        if (text.includes('CROSS JOIN')) break;
        const ended = await Promise.race([long, new Promise((resolve) => setTimeout(resolve, 20, 'runs'))]);
        assert.equal(ended, 'runs', 'the query ended before it was listed');
      }
      assert.match((await v1(limited().url, limited().tokens.admin, 'SHOW QUERIES')).text, /CROSS JOIN/);
      for (const kind of ['readA', 'bothA', 'writeAll', 'system', 'internal'] as const) {
        assert.doesNotMatch((await v1(limited().url, limited().tokens[kind], 'SHOW QUERIES')).text, /CROSS JOIN/, kind);
      }
    } finally {
      abort.abort();
      await long;
    }
  });

  test('a write token makes the database that it names, and no other', async () => {
    assert.equal((await write(limited().url, limited().tokens.nowhere, 'nowhere2', 'm v=1i 1')).status, 403);
    assert.equal((await write(limited().url, limited().tokens.nowhere, 'nowhere', 'm v=1i 1')).status, 204);
    assert.deepEqual(await rows(limited().url, limited().tokens.nowhere, 'nowhere', 'SELECT v FROM m'), [{ v: 1 }]);
    const names = (await rows(limited().url, limited().tokens.admin, '_internal', 'SELECT database_name FROM system.databases')).map(
      (row) => row['database_name'],
    );
    assert.ok(names.includes('nowhere'));
    assert.ok(!names.includes('nowhere2'));
  });
});

describe('tokens with permissions over Arrow Flight', () => {
  const clients: FlightTestClient[] = [];
  after(() => {
    for (const each of clients) each.close();
  });
  const client = (kind: string | undefined, database = 'a'): FlightTestClient => {
    const made = new FlightTestClient(limited().url, { database, ...(kind === undefined ? {} : { authorization: `Bearer ${kind}` }) });
    clients.push(made);
    return made;
  };
  const statement = command('CommandStatementQuery', [[1, 'SELECT v FROM m']]);
  const prepared = command('CommandPreparedStatementQuery', [[1, 'SELECT v FROM m WHERE v = $1']]);
  const ticket = (text: string): Buffer => writeMessage([[1, text]]);
  const samples: Readonly<Record<FlightMethod, readonly Buffer[]>> = {
    DoGet: [ticket('{"database":"a","sql_query":"SELECT v FROM m"}')],
    GetFlightInfo: [descriptor(statement)],
    DoAction: [
      writeMessage([
        [1, 'CreatePreparedStatement'],
        [2, command('ActionCreatePreparedStatementRequest', [[1, 'SELECT v FROM m']])],
      ]),
    ],
    DoPut: [writeMessage([[1, descriptor(prepared)]])],
    Handshake: [writeMessage([[2, 'x']])],
    GetSchema: [descriptor(statement)],
    PollFlightInfo: [descriptor(statement)],
    ListFlights: [Buffer.alloc(0)],
    ListActions: [Buffer.alloc(0)],
    DoExchange: [Buffer.alloc(0)],
  };

  test('every method: tokens that may read the database, and no others', async () => {
    assert.deepEqual(Object.keys(samples).sort(), Object.keys(FLIGHT_RIGHTS).sort());
    for (const [method, messages] of Object.entries(samples) as [FlightMethod, readonly Buffer[]][]) {
      const admin = await client(limited().tokens.admin).call(method, messages);
      assert.ok(![7, 16].includes(admin.code), `${method}: ${admin.code} ${admin.details}`);
      const isOpen = FLIGHT_RIGHTS[method] === 'open';
      for (const kind of KINDS) {
        const { code, details } = await client(limited().tokens[kind]).call(method, messages);
        const allowed = isOpen || (ADMINS as readonly string[]).includes(kind) || READERS_OF_A.includes(kind as Limited);
        if (allowed) assert.deepEqual([code, details], [admin.code, admin.details], `${method} as ${kind}`);
        else {
          const told = `the token may not read the database 'a', it needs the permission db:a:read`;
          assert.deepEqual([code, details], [7, told], `${method} as ${kind}`);
        }
      }
      for (const [token, wanted] of [
        [undefined, 16],
        [`${limited().tokens.admin}x`, 16],
        [limited().expired, 7],
      ] as const) {
        const { code, messages: sent } = await client(token).call(method, messages);
        assert.equal(code, isOpen ? admin.code : wanted, method);
        if (!isOpen) assert.equal(sent.length, 0);
      }
    }
  });

  test('the database of the ticket counts for DoGet, that of the header for the rest; both kinds of statement, every command', async () => {
    const other = client(limited().tokens.bothB, 'b');
    const told = `the token may not read the database 'a', it needs the permission db:a:read`;
    const tickets = [
      '{"database":"a","sql_query":"SELECT v FROM m"}',
      '{"database":"a","sql_query":"SELECT v FROM m","query_type":"influxql"}',
      '{"database":"a","sql_query":"SHOW MEASUREMENTS","query_type":"influxql"}',
      '{"database":"a","sql_query":"SHOW DATABASES","query_type":"influxql"}',
      '{"bucket":"a","sql_query":"nonsense"}',
    ];
    for (const text of tickets) {
      const { code, details, messages } = await other.call('DoGet', [ticket(text)]);
      assert.deepEqual([code, details, messages.length], [7, told, 0], text);
    }
    for (const name of [
      'CommandGetCatalogs',
      'CommandGetDbSchemas',
      'CommandGetTables',
      'CommandGetTableTypes',
      'CommandGetSqlInfo',
      'CommandGetXdbcTypeInfo',
    ]) {
      const asked = await other.call('GetFlightInfo', [descriptor(command(name))], { headers: { database: 'a' } });
      assert.deepEqual([asked.code, asked.details], [7, told], name);
      const own = await other.call('GetFlightInfo', [descriptor(command(name))]);
      assert.equal(own.code, 0, `${name}: ${own.details}`);
    }
    const missing = await other.query({ database: 'zz', sql_query: 'SELECT 1' });
    assert.deepEqual([missing.code, missing.details], [7, told.replaceAll("'a'", "'zz'").replace(':a:', ':zz:')]);
  });

  test('SHOW DATABASES and metadata tell of nothing that may not be read', async () => {
    const reader = client(limited().tokens.readA);
    const { code, details, messages } = await reader.query({ database: 'a', sql_query: 'SHOW DATABASES', query_type: 'influxql' });
    assert.equal(code, 0, details);
    const names = valuesOf(tableOf(messages)).map((row) =>
      (row as unknown[]).find((value) => typeof value === 'string' && value !== 'databases'),
    );
    assert.deepEqual(names.map(String).sort(), ['a', 'a/week']);
    const all = await reader.query({
      database: 'a',
      sql_query: "SELECT table_name FROM information_schema.tables WHERE table_schema = 'iox'",
    });
    assert.ok(!valuesOf(tableOf(all.messages)).flat().map(String).includes('only_b'));
    const queries = await reader.query({ database: 'a', sql_query: 'SELECT query_text FROM system.queries' });
    assert.doesNotMatch(JSON.stringify(valuesOf(tableOf(queries.messages))), /'whispered' AS text FROM only_b/);
  });
});

describe('making tokens with permissions', () => {
  const create = (json: string, path = '/api/v3/enterprise/configure/token') =>
    ask(`${limited().url}${path}`, { token: limited().tokens.admin, json });

  test('both paths and both names of the member with the databases are taken; the list shows the permissions', async () => {
    const body = (name: string, member: string): string =>
      JSON.stringify({
        token_name: name,
        permissions: [{ resource_type: 'db', [member]: ['x', 'y', 'x'], actions: ['write', 'read'] }],
        expiry_secs: 3600,
      });
    for (const [name, member, path] of [
      ['made 1', 'resource_names', '/api/v3/enterprise/configure/token'],
      ['made 2', 'resource_identifier', '/api/v3/configure/token'],
    ] as const) {
      const { status, text } = await create(body(name, member), path);
      assert.equal(status, 201, text);
      const made = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual(Object.keys(made), ['id', 'name', 'token', 'hash', 'created_at', 'expiry']);
      assert.deepEqual(
        await rows(
          limited().url,
          limited().tokens.admin,
          '_internal',
          `SELECT permissions, expiry > created_at AS ends FROM system.tokens WHERE name = '${name}'`,
        ),
        [{ permissions: 'db:x,y:read,write', ends: true }],
      );
      assert.equal((await create(body(name, member), path)).status, 409);
      const gone = await ask(`${limited().url}/api/v3/configure/token?${params({ token_name: name })}`, {
        method: 'DELETE',
        token: limited().tokens.admin,
      });
      assert.equal(gone.status, 200);
      assert.equal((await write(limited().url, made['token'] as string, 'x', 'm v=1')).status, 401);
    }
    await makeToken(limited().url, limited().tokens.admin, 'several', ['db:*:read', 'system:metrics,health:read']);
    const [several] = await rows(
      limited().url,
      limited().tokens.admin,
      '_internal',
      "SELECT permissions FROM system.tokens WHERE name = 'several'",
    );
    assert.deepEqual(several, { permissions: 'db:*:read; system:metrics,health:read' });
  });

  test('what cannot be granted is refused with what there is, and makes no token', async () => {
    const before = await rows(limited().url, limited().tokens.admin, '_internal', 'SELECT count(*) AS n FROM system.tokens');
    const db = (permission: Record<string, unknown>): string => JSON.stringify({ token_name: 'bad', permissions: [permission] });
    for (const [json, told] of [
      ['{"token_name":"bad","permissions":[]}', 'invalid permission: a resource token needs at least one permission'],
      ['{"token_name":"bad"}', /permissions/],
      [
        db({ resource_type: 'table', resource_names: ['a'], actions: ['read'] }),
        "invalid permission: 'table' is no resource type: there are db and system",
      ],
      [
        db({ resource_type: 'db', resource_names: ['a'], actions: ['admin'] }),
        "invalid permission: 'admin' cannot be done with db: there is read and write",
      ],
      [
        db({ resource_type: 'system', resource_names: ['*'], actions: ['write'] }),
        "invalid permission: 'write' cannot be done with system: there is read",
      ],
      [
        db({ resource_type: 'system', resource_names: ['pulse'], actions: ['read'] }),
        "invalid permission: 'pulse' is no system resource: there are health, metrics, ping, telemetry and *",
      ],
      [db({ resource_type: 'db', resource_names: [], actions: ['read'] }), 'invalid permission: a permission on db names nothing'],
      [db({ resource_type: 'db', resource_names: ['a'], actions: [] }), 'invalid permission: a permission on db has no actions'],
      [db({ resource_type: 'db', resource_names: ['a b'], actions: ['read'] }), "invalid permission: 'a b' is no name of a database"],
      [
        db({ resource_type: 'db', resource_names: ['_internal'], actions: ['read', 'write'] }),
        "invalid permission: the database '_internal' can be read only",
      ],
      [
        db({ resource_type: 'db', resource_names: Array.from({ length: 1001 }, (_, i) => `d${i}`), actions: ['read'] }),
        'invalid permission: the permissions name 1001 resources, at most 1000 are possible',
      ],
      [bodyOf('_admin', ['db:a:read']), 'token name already exists, _admin'],
      [bodyOf('named', ['db:a:read']), 'token name already exists, named'],
    ] as const) {
      const { status, text } = await create(json);
      assert.ok([400, 409].includes(status), `${json}: ${status} ${text}`);
      if (typeof told === 'string') assert.equal(text, told, json);
      else assert.match(text, told, json);
    }
    assert.deepEqual(await rows(limited().url, limited().tokens.admin, '_internal', 'SELECT count(*) AS n FROM system.tokens'), before);
  });
});
