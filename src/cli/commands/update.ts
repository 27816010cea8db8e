import { lstat } from 'node:fs/promises';
import { valueTypes } from '../../config/index.ts';
import { DurationError, formatDurationNs, parseDurationNs } from '../../shared/duration.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { readPluginFiles } from '../client/plugin-files.ts';
import { quoted } from '../client/prompt.ts';
import { type GroupModel, group, type LeafModel, optional, required } from '../command-model.ts';
import { print } from '../io.ts';

/** `update` and everything below it. */
export function updateGroup(): GroupModel {
  return group({ name: 'update', about: 'Change a database or a trigger', children: [updateDatabase(), updateTrigger()] });
}

/** `enable trigger` or `disable trigger`. */
export function switchGroup(word: 'enable' | 'disable'): GroupModel {
  const verb = word === 'enable' ? 'Enable' : 'Disable';
  const trigger = clientCommand(verb, {
    name: 'trigger',
    about: `${verb} a trigger`,
    options: { ...connectionOptions, ...databaseOption },
    positionals: [{ name: 'TRIGGER_NAME', required: true, help: 'Name of the trigger' }],
    async run({ values, words: [name = ''], io }) {
      const path = `/api/v3/configure/processing_engine_trigger/${word}`;
      const query = { db: values.database, trigger_name: name };
      await withClient(values, { io }, (client) => client.fetch({ method: 'POST', path, query }));
      await print(io, `Trigger ${name} ${word}d successfully`);
      return 0;
    },
  });
  return group({ name: word, about: `${verb} a trigger`, children: [trigger] });
}

function updateDatabase(): LeafModel {
  return clientCommand('Update', {
    name: 'database',
    about: 'Change how long a database keeps its rows',
    options: {
      ...connectionOptions,
      ...databaseOption,
      retentionPeriod: optional({
        flag: 'retention-period',
        short: 'r',
        type: valueTypes.text,
        help: 'How long rows are kept, e.g. 30d; none or 0 = for ever',
      }),
    },
    async run({ values, io }) {
      if (values.retentionPeriod === undefined) throw new CommandFailure('--retention-period is required for update database');
      const json = { db: values.database, retention_period: retentionPeriod(values.retentionPeriod) };
      await withClient(values, { io }, (client) => client.fetch({ method: 'PUT', path: '/api/v3/configure/database', json }));
      await print(io, `Database ${quoted(values.database)} updated successfully`);
      return 0;
    },
  });
}

function retentionPeriod(text: string): string | null {
  if (text.toLowerCase() === 'none') return null;
  try {
    const ns = parseDurationNs(text);
    return ns === 0n ? null : formatDurationNs(ns);
  } catch (error) {
    // compat: a bad duration is no usage error here.
    throw error instanceof DurationError ? new CommandFailure(error.message) : error;
  }
}

function updateTrigger(): LeafModel {
  return clientCommand('Update', {
    name: 'trigger',
    about: 'Replace the plugin code of a trigger by a local file or folder',
    options: {
      ...connectionOptions,
      ...databaseOption,
      triggerName: required({ flag: 'trigger-name', short: 't', type: valueTypes.text, help: 'Name of the trigger' }),
      path: required({ flag: 'path', short: 'p', type: valueTypes.path, help: 'Local plugin file or folder' }),
    },
    async run({ values, io }) {
      const stats = await lstat(values.path).catch(() => undefined);
      if (stats === undefined) throw new CommandFailure(`Path does not exist: ${values.path}`);
      const plugin = await readPluginFiles(values.path);
      const [only] = plugin.files;
      if (only === undefined) throw new CommandFailure('No Python files found in directory');
      const files = plugin.files.map(({ relativePath, content }) => ({ relative_path: relativePath, content }));
      const json = { plugin_name: values.triggerName, ...(plugin.isDirectory ? { files } : { content: only.content }) };
      const path = `/api/v3/plugins/${plugin.isDirectory ? 'directory' : 'files'}`;
      await withClient(values, { io }, (client) => client.fetch({ method: 'PUT', path, query: { db: values.database }, json }));
      const note = plugin.isDirectory ? ' (atomic directory replacement)' : '';
      await print(io, `Trigger '${values.triggerName}' updated successfully${note}`);
      return 0;
    },
  });
}
