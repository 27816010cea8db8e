import { ValueError, type ValueType, valueTypes } from '../../config/index.ts';
import { formatDurationNs } from '../../shared/duration.ts';
import { clientCommand } from '../client/client-command.ts';
import { databaseWord, durationNs, tableOption } from '../client/common-arguments.ts';
import { connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { quoted } from '../client/prompt.ts';
import { defaulted, type GroupModel, group, type LeafModel, optional } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';
import { tokenGroup } from './create-token.ts';
import { createTrigger } from './create-trigger.ts';

/** `create` and everything below it. */
export function createGroup(): GroupModel {
  return group({
    name: 'create',
    about: 'Make a database, table, cache, token or trigger',
    children: [createDatabase(), lastCache(), distinctCache(), createTable(), tokenGroup(), createTrigger()],
  });
}

function createDatabase(): LeafModel {
  return clientCommand('Create', {
    name: 'database',
    about: 'Create a new database',
    options: {
      ...connectionOptions,
      retentionPeriod: optional({
        flag: 'retention-period',
        type: durationNs,
        help: 'How long rows are kept, e.g. 30d; without it, and with 0, for ever',
      }),
    },
    positionals: [databaseWord],
    async run({ values, words, io }) {
      const [name = ''] = words;
      const { retentionPeriod: ns = 0n } = values;
      const period = ns === 0n ? null : formatDurationNs(ns);
      await withClient(values, { io }, (client) =>
        client.fetch({ method: 'POST', path: '/api/v3/configure/database', json: { db: name, retention_period: period } }),
      );
      await print(io, `Database ${quoted(name)} created successfully`);
      return 0;
    },
  });
}

const fieldTypes = ['int64', 'uint64', 'float64', 'utf8', 'bool'];

const fieldPairs: ValueType<readonly { name: string; type: string }[]> = {
  name: 'name:type list',
  isList: true,
  parse: (value) =>
    value.split(',').map((pair) => {
      const colon = pair.indexOf(':');
      if (colon === -1) throw new ValueError(`invalid FIELD:VALUE. No \`:\` found in \`${pair}\``);
      const type = pair.slice(colon + 1);
      if (!fieldTypes.includes(type)) {
        throw new ValueError(`${type} is not a valid data type, values are int64, uint64, float64, utf8, and bool`);
      }
      return { name: pair.slice(0, colon), type };
    }),
};

function createTable(): LeafModel {
  return clientCommand('Create', {
    name: 'table',
    about: 'Create a new table in a database',
    options: {
      ...connectionOptions,
      ...databaseOption,
      tags: optional({ flag: 'tags', type: valueTypes.listOf(valueTypes.text), help: 'Tag columns; they identify a series' }),
      fields: optional({
        flag: 'fields',
        short: 'f',
        type: fieldPairs,
        help: 'Field columns as name:type, of int64, uint64, float64, utf8, bool',
      }),
    },
    positionals: [{ name: 'TABLE_NAME', required: true, help: 'Name of the table' }],
    async run({ values, words, io }) {
      const [table = ''] = words;
      const json = { db: values.database, table, tags: values.tags ?? [], fields: values.fields ?? [] };
      await withClient(values, { io }, (client) => client.fetch({ method: 'POST', path: '/api/v3/configure/table', json }));
      await print(io, `Table ${quoted(values.database)}.${quoted(table)} created successfully`);
      return 0;
    },
  });
}

const columns = valueTypes.listOf(valueTypes.text);

const countFromOne: ValueType<number> = {
  name: 'number',
  parse(value, facts) {
    const count = valueTypes.integer.parse(value, facts);
    if (count === 0) throw new ValueError('invalid count for last cache provided');
    return count;
  },
};

const cacheWord = {
  name: 'CACHE_NAME',
  required: false,
  help: 'Name of the cache; without it one is made from the table and columns',
} as const;

function lastCache(): LeafModel {
  return clientCommand('Create', {
    name: 'last_cache',
    about: 'Create a new last value cache',
    options: {
      ...connectionOptions,
      ...databaseOption,
      ...tableOption,
      keyColumns: optional({ flag: 'key-columns', type: columns, help: 'Columns whose values get a cache entry each' }),
      valueColumns: optional({ flag: 'value-columns', type: columns, help: 'Columns that are kept' }),
      count: defaulted('1', { flag: 'count', type: countFromOne, help: 'Values kept per entry' }),
      ttl: defaulted('4 hours', { flag: 'ttl', type: durationNs, help: 'How long a value is kept' }),
    },
    positionals: [cacheWord],
    async run({ values, words, io }) {
      const json = {
        db: values.database,
        table: values.table,
        name: words[0],
        key_columns: values.keyColumns,
        value_columns: values.valueColumns,
        count: values.count,
        ttl: Number(values.ttl / 1_000_000_000n),
      };
      return makeCache(values, io, '/api/v3/configure/last_cache', json);
    },
  });
}

function distinctCache(): LeafModel {
  return clientCommand('Create', {
    name: 'distinct_cache',
    about: 'Create a new distinct value cache',
    options: {
      ...connectionOptions,
      ...databaseOption,
      ...tableOption,
      columns: optional({ flag: 'columns', type: columns, help: 'Columns whose distinct values are kept' }),
      maxCardinality: defaulted('100000', { flag: 'max-cardinality', type: valueTypes.positiveInteger, help: 'Combinations kept at most' }),
      maxAge: defaulted('1d', { flag: 'max-age', type: durationNs, help: 'How long a value is kept' }),
    },
    positionals: [cacheWord],
    async run({ values, words, io }) {
      const json = {
        db: values.database,
        table: values.table,
        columns: values.columns ?? [],
        name: words[0],
        max_cardinality: values.maxCardinality,
        max_age: Number(values.maxAge / 1_000_000_000n),
      };
      return makeCache(values, io, '/api/v3/configure/distinct_cache', json);
    },
  });
}

async function makeCache(values: Parameters<typeof withClient>[0], io: CliIo, path: string, json: unknown): Promise<number> {
  const { status, body } = await withClient(values, { io }, (client) => client.fetch({ method: 'POST', path, json }));
  if (status === 204) {
    await print(io, 'a cache already exists for the provided parameters');
    return 0;
  }
  await print(io, `new cache created: ${JSON.stringify(JSON.parse(body.toString('utf8')), null, 2)}`);
  return 0;
}
