import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cli } from './support.ts';

const hint = "\nFor more information, try '--help'.\n";

describe('usage errors, exit code 2 on standard error', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    [
      'a value that a parser refuses',
      ['write', '-d', 'x', '--precision', 'fake', 'a b=1'],
      `error: invalid value 'fake' for '--precision <PRECISION>': unrecognized precision unit: fake\n${hint}`,
    ],
    [
      'missing required option, with the given ones in the usage line',
      ['show', 'system', '--host', 'http://127.0.0.1:1', 'table-list'],
      `error: the following required arguments were not provided:\n  --database <DATABASE_NAME>\n\nUsage: influxdb3 show system --database <DATABASE_NAME> --host <HOST_URL> <COMMAND>\n${hint}`,
    ],
    [
      'missing positional',
      ['create', 'database'],
      `error: the following required arguments were not provided:\n  <DATABASE_NAME>\n\nUsage: influxdb3 create database <DATABASE_NAME>\n${hint}`,
    ],
    [
      '--tags without a value (12.2)',
      ['create', 'table', '--database', 'd', 't', '--tags'],
      `error: a value is required for '--tags <TAGS>...' but none was supplied\n${hint}`,
    ],
    [
      'an option where a value should be',
      ['query', '--database', '--format', 'json', 'x'],
      `error: a value is required for '--database <DATABASE_NAME>' but none was supplied\n${hint}`,
    ],
    [
      'enum without a value lists the words',
      ['query', '-d', 'x', '--format'],
      `error: a value is required for '--format <OUTPUT_FORMAT>' but none was supplied\n  [possible values: pretty, json, jsonl, csv, parquet]\n${hint}`,
    ],
    [
      'bad enum value',
      ['query', '-d', 'x', '--format', 'xml', 'q'],
      `error: invalid value 'xml' for '--format <OUTPUT_FORMAT>'\n  [possible values: pretty, json, jsonl, csv, parquet]\n${hint}`,
    ],
    [
      'unknown option, with a similar one',
      ['query', '--databse', 'x'],
      `error: unexpected argument '--databse' found\n\n  tip: a similar argument exists: '--database'\n\nUsage: influxdb3 query [OPTIONS] --database <DATABASE_NAME> [QUERY]\n${hint}`,
    ],
    [
      'unknown command, with a similar one',
      ['qurey'],
      `error: unrecognized subcommand 'qurey'\n\n  tip: a similar subcommand exists: 'query'\n\nUsage: influxdb3 [OPTIONS] [COMMAND]\n${hint}`,
    ],
    [
      'a group with an option but no command',
      ['show', 'system', '--database', 'x'],
      `error: 'influxdb3 show system' requires a subcommand but one was not provided\n  [subcommands: table-list, table, summary]\n\nUsage: influxdb3 show system --database <DATABASE_NAME> <COMMAND>\n${hint}`,
    ],
    [
      'a single value twice',
      ['query', '-d', 'x', '-d', 'y', 'q'],
      `error: the argument '--database <DATABASE_NAME>' cannot be used multiple times\n${hint}`,
    ],
    [
      'one word too many',
      ['query', '-d', 'x', 'a', 'b'],
      `error: unexpected argument 'b' found\n\nUsage: influxdb3 query [OPTIONS] --database <DATABASE_NAME> [QUERY]\n${hint}`,
    ],
    [
      'create token needs --admin directly after it (12.4)',
      ['create', 'token', '--name', 'x'],
      `error: unexpected argument '--name' found\n\nUsage: influxdb3 create token <COMMAND>\n${hint}`,
    ],
    [
      'create database with a bad duration (12.1)',
      ['create', 'database', '--retention-period', 'invalid', 'x'],
      `error: invalid value 'invalid' for '--retention-period <RETENTION_PERIOD>': expected number at 0\n${hint}`,
    ],
    [
      'create table with a bad field (12.2)',
      ['create', 'table', '-d', 'x', 't', '--fields', 'a'],
      `error: invalid value 'a' for '--fields <FIELDS>...': invalid FIELD:VALUE. No \`:\` found in \`a\`\n${hint}`,
    ],
    [
      'create table with a bad type (12.2)',
      ['create', 'table', '-d', 'x', 't', '--fields', 'a:int'],
      `error: invalid value 'a:int' for '--fields <FIELDS>...': int is not a valid data type, values are int64, uint64, float64, utf8, and bool\n${hint}`,
    ],
    [
      'last cache count 0 (12.3)',
      ['create', 'last_cache', '-d', 'x', '-t', 't', '--count', '0'],
      `error: invalid value '0' for '--count <COUNT>': invalid count for last cache provided\n${hint}`,
    ],
    [
      'distinct cache cardinality 0 (12.3)',
      ['create', 'distinct_cache', '-d', 'x', '-t', 't', '--max-cardinality', '0'],
      `error: invalid value '0' for '--max-cardinality <MAX_CARDINALITY>': number would be zero for non-zero type\n${hint}`,
    ],
    [
      'write sizes start at 1 (11)',
      ['write', '-d', 'x', '--max-request-size', '0', 'a b=1'],
      `error: invalid value '0' for '--max-request-size <MAX_REQUEST_SIZE>': value must be at least 1\n${hint}`,
    ],
    [
      'a host that is no URL (7)',
      ['query', '-d', 'x', '--host', 'no where', 'q'],
      `error: invalid value 'no where' for '--host <HOST_URL>': relative URL without a base\n${hint}`,
    ],
    [
      '--regenerate with --name (12.4)',
      ['create', 'token', '--admin', '--regenerate', '--name', 'x'],
      `error: --regenerate cannot be used with --name, --regenerate only applies for operator token\n${hint}`,
    ],
    [
      'trigger specification (12.6)',
      ['create', 'trigger', '-d', 'x', '--trigger-spec', 'hourly', '--path', 'p.py', 't'],
      `error: invalid value 'hourly' for '--trigger-spec <TRIGGER_SPECIFICATION>': failed to parse trigger from hourly: expect one of the following forms: 'table:<TABLE_NAME>', 'all_tables', 'cron:<CRON_EXPRESSION>', 'every:<DURATION>', or 'request:<PATH>'\n${hint}`,
    ],
    [
      'a switch with a value',
      ['serve', '--without-auth=true'],
      `error: unexpected value 'true' for '--without-auth' found; no more were expected\n\nUsage: influxdb3 serve [OPTIONS]\n${hint}`,
    ],
    [
      'runtime options after the command (3)',
      ['serve', '--num-io-threads', '2'],
      `error: unexpected argument '--num-io-threads' found\n\nUsage: influxdb3 serve [OPTIONS]\n${hint}`,
    ],
  ];
  for (const [name, args, expected] of cases) {
    it(name, async () => {
      const { code, stdout, stderr } = await cli(args);
      assert.deepEqual({ code, stdout, stderr }, { code: 2, stdout: '', stderr: expected });
    });
  }

  it('a group alone prints its help on standard error', async () => {
    const { code, stdout, stderr } = await cli(['create']);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, /Usage: influxdb3 create <COMMAND>/);
  });

  it('create token alone says what is missing', async () => {
    const { code, stderr } = await cli(['create', 'token']);
    assert.equal(code, 2);
    assert.match(stderr, /Missing required subcommand\. Use: influxdb3 create token --admin \[OPTIONS\]/);
  });

  for (const words of [['stop'], ['remove'], ['auth'], ['help'], ['show', 'nodes'], ['create', 'file_index'], ['update', 'table']]) {
    it(`${words.join(' ')} is no command`, async () => {
      const { code, stderr } = await cli(words);
      assert.equal(code, 2);
      assert.ok(stderr.startsWith(`error: unrecognized subcommand '${words[words.length - 1]}'`), stderr);
    });
  }

  it('booleans from the environment', async () => {
    const { code, stderr } = await cli(['serve'], { env: { INFLUXDB3_START_WITHOUT_AUTH: '1' } });
    assert.equal(code, 2);
    assert.ok(stderr.includes('[possible values: true, false]'));
  });
});
