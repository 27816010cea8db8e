import { valueTypes } from '../../config/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { confirmDelete, quoted } from '../client/prompt.ts';
import { flag, type LeafModel, optional, required } from '../command-model.ts';
import { print } from '../io.ts';

/** `delete rows`: not in InfluxDB 3 Core, which cannot delete rows. */
export function deleteRows(): LeafModel {
  return clientCommand('Delete', {
    name: 'rows',
    about: 'Delete the rows of a time range, of one table and of tags if wanted',
    options: {
      ...connectionOptions,
      ...databaseOption,
      start: required({ flag: 'start', placeholder: 'TIME', type: valueTypes.text, help: 'First time, such as 2026-01-31T00:00:00Z' }),
      stop: required({ flag: 'stop', placeholder: 'TIME', type: valueTypes.text, help: 'Last time, included' }),
      predicate: optional({
        flag: 'predicate',
        placeholder: 'CONDITION',
        type: valueTypes.text,
        help: 'Such as _measurement="home" AND room="Kitchen"; without it every table is meant',
      }),
      yes: flag({ flag: 'yes', short: 'y', help: 'Do not ask' }),
    },
    async run({ values, io }) {
      const { database, predicate, start, stop } = values;
      if (!values.yes) await confirmDelete(io, `rows of ${quoted(database)} from ${start} to ${stop}`);
      const json = { start, stop, ...(predicate === undefined ? {} : { predicate }) };
      const request = { method: 'POST', path: '/api/v2/delete', query: { bucket: database }, json } as const;
      await withClient(values, { io }, (client) => client.fetch(request));
      await print(io, `Rows of ${quoted(database)} deleted successfully`);
      return 0;
    },
  });
}
