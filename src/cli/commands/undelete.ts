import { valueTypes } from '../../config/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { quoted } from '../client/prompt.ts';
import { type GroupModel, group, type LeafModel, optional } from '../command-model.ts';
import { print } from '../io.ts';

const newName = {
  newName: optional({ flag: 'new-name', type: valueTypes.text, help: 'Name to give; without it the name before the delete' }),
} as const;

/** `undelete database|table`: ours; InfluxDB 3 Core cannot take a delete back. */
export function undeleteGroup(): GroupModel {
  return group({
    name: 'undelete',
    about: 'Take the delete of a database or table back while its data is there',
    children: [undeleteDatabase(), undeleteTable()],
  });
}

function undeleteDatabase(): LeafModel {
  return clientCommand('Undelete', {
    name: 'database',
    about: 'Take the delete of a database and of the tables that went with it back',
    options: { ...connectionOptions, ...newName },
    positionals: [{ name: 'DATABASE_NAME', required: true, help: "Name after the delete, see 'influxdb3 show databases --show-deleted'" }],
    async run({ values, words: [name = ''], io }) {
      const json = { db: name, new_name: values.newName };
      await withClient(values, { io }, (client) => client.fetch({ method: 'POST', path: '/api/v3/configure/database/undelete', json }));
      await print(io, `Database ${quoted(name)} undeleted successfully`);
      return 0;
    },
  });
}

function undeleteTable(): LeafModel {
  return clientCommand('Undelete', {
    name: 'table',
    about: 'Take the delete of a table back',
    options: { ...connectionOptions, ...databaseOption, ...newName },
    positionals: [{ name: 'TABLE_NAME', required: true, help: "Name after the delete, see 'SELECT * FROM system.tables' of _internal" }],
    async run({ values, words: [name = ''], io }) {
      const json = { db: values.database, table: name, new_name: values.newName };
      await withClient(values, { io }, (client) => client.fetch({ method: 'POST', path: '/api/v3/configure/table/undelete', json }));
      await print(io, `Table ${quoted(name)} undeleted successfully`);
      return 0;
    },
  });
}
