import { ValueError, type ValueType, valueTypes } from '../../config/index.ts';
import type { ApiRequest } from '../client/api-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { databaseWord, tableOption } from '../client/common-arguments.ts';
import { type ConnectionValues, connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { confirmDelete, quoted } from '../client/prompt.ts';
import { flag, type GroupModel, group, type LeafModel, optional, required } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';
import { deleteRows } from './delete-rows.ts';

const hardDeleteTime: ValueType<string> = {
  name: 'never, now, default or a time',
  parse(value) {
    if (value === '') throw new ValueError('', { missing: true });
    return ['never', 'now', 'default'].includes(value.toLowerCase()) ? value.toLowerCase() : value;
  },
};

const hardDelete = {
  hardDelete: optional({
    flag: 'hard-delete',
    placeholder: 'WHEN',
    type: hardDeleteTime,
    help: 'When the data goes for good: never, now, default, or a time like 2030-01-01T00:00:00Z',
  }),
} as const;

const yes = { yes: flag({ flag: 'yes', short: 'y', help: 'Do not ask' }) } as const;

/** `delete` and everything below it. */
export function deleteGroup(): GroupModel {
  return group({
    name: 'delete',
    about: 'Delete a database, table, rows, a cache, token or trigger',
    children: [
      deleteDatabase(),
      cache('last_cache', 'last cache', 'Delete a last value cache'),
      cache('distinct_cache', 'distinct cache', 'Delete a distinct value cache'),
      deleteRows(),
      deleteTable(),
      deleteTrigger(),
      deleteToken(),
    ],
  });
}

function deleteDatabase(): LeafModel {
  return clientCommand('Delete', {
    name: 'database',
    about: 'Delete a database',
    options: { ...connectionOptions, ...hardDelete, ...yes },
    positionals: [databaseWord],
    async run({ values, words, io }) {
      const [name = ''] = words;
      if (!values.yes) await confirmDelete(io, quoted(name));
      const query = { db: name, hard_delete_at: values.hardDelete };
      return carryOut(
        values,
        io,
        { method: 'DELETE', path: '/api/v3/configure/database', query },
        `Database ${quoted(name)} deleted successfully`,
      );
    },
  });
}

function deleteTable(): LeafModel {
  return clientCommand('Delete', {
    name: 'table',
    about: 'Delete a table of a database',
    options: { ...connectionOptions, ...databaseOption, ...hardDelete, ...yes },
    positionals: [{ name: 'TABLE_NAME', required: true, help: 'Name of the table' }],
    async run({ values, words, io }) {
      const [table = ''] = words;
      const name = `${quoted(values.database)}.${quoted(table)}`;
      if (!values.yes) await confirmDelete(io, name);
      const query = { db: values.database, table, hard_delete_at: values.hardDelete };
      return carryOut(values, io, { method: 'DELETE', path: '/api/v3/configure/table', query }, `Table ${name} deleted successfully`);
    },
  });
}

function deleteTrigger(): LeafModel {
  return clientCommand('Delete', {
    name: 'trigger',
    about: 'Delete a trigger',
    options: { ...connectionOptions, ...databaseOption, force: flag({ flag: 'force', help: 'Delete it although it is enabled' }) },
    positionals: [{ name: 'TRIGGER_NAME', required: true, help: 'Name of the trigger' }],
    async run({ values, words, io }) {
      const [name = ''] = words;
      const json = { db: values.database, trigger_name: name, force: values.force };
      const path = '/api/v3/configure/processing_engine_trigger';
      return carryOut(values, io, { method: 'DELETE', path, json }, `Trigger ${name} deleted successfully`);
    },
  });
}

function deleteToken(): LeafModel {
  return clientCommand('Delete', {
    name: 'token',
    about: 'Delete a token',
    options: {
      ...connectionOptions,
      tokenName: required({ flag: 'token-name', type: valueTypes.text, help: 'Name of the token' }),
      ...yes,
    },
    async run({ values, io }) {
      const name = values.tokenName;
      if (name === '_admin') {
        throw new CommandFailure('the operator token "_admin" is required and cannot be deleted', {
          hint: "'influxdb3 create token --admin --regenerate --token <token>' replaces it",
        });
      }
      if (!values.yes) await confirmDelete(io, quoted(name));
      const request: ApiRequest = { method: 'DELETE', path: '/api/v3/configure/token', query: { token_name: name } };
      return carryOut(values, io, request, `Token ${quoted(name)} deleted successfully`);
    },
  });
}

function cache(name: 'last_cache' | 'distinct_cache', words: string, about: string): LeafModel {
  return clientCommand('Delete', {
    name,
    about,
    options: { ...connectionOptions, ...databaseOption, ...tableOption },
    positionals: [{ name: 'CACHE_NAME', required: true, help: 'Name of the cache' }],
    async run({ values, words: [cacheName = ''], io }) {
      const json = { db: values.database, table: values.table, name: cacheName };
      return carryOut(values, io, { method: 'DELETE', path: `/api/v3/configure/${name}`, json }, `${words} deleted successfully`);
    },
  });
}

async function carryOut(values: ConnectionValues, io: CliIo, request: ApiRequest, success: string): Promise<number> {
  await withClient(values, { io }, (client) => client.fetch(request));
  await print(io, success);
  return 0;
}
