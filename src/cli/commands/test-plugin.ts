import { readFile } from 'node:fs/promises';
import { valueTypes } from '../../config/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { type ConnectionValues, connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { type GroupModel, group, type LeafModel, optional } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';
import { keyValues } from './create-trigger.ts';

const shared = {
  ...connectionOptions,
  ...databaseOption,
  inputArguments: optional({ flag: 'input-arguments', type: keyValues, help: 'Arguments for the plugin: k=v,k2=v2' }),
  cacheName: optional({ flag: 'cache-name', type: valueTypes.text, help: 'Name of the cache that the test uses' }),
} as const;

const fileWord = { name: 'FILENAME', required: true, help: 'Plugin file in the plugin folder of the server' } as const;

/** `test`. */
export function testGroup(): GroupModel {
  return group({ name: 'test', about: 'Try a plugin without keeping what it writes', children: [walPlugin(), schedulePlugin()] });
}

function walPlugin(): LeafModel {
  return clientCommand('Test', {
    name: 'wal_plugin',
    about: 'Try a plugin that runs on written rows',
    options: {
      ...shared,
      lp: optional({ flag: 'lp', placeholder: 'INPUT_LP', type: valueTypes.text, help: 'Line protocol for the plugin' }),
      file: optional({ flag: 'file', placeholder: 'INPUT_FILE', type: valueTypes.path, help: 'Local file with line protocol' }),
    },
    positionals: [fileWord],
    async run({ values, words: [filename = ''], io }) {
      const json = {
        filename,
        database: values.database,
        input_lp: await inputLines(values.lp, values.file),
        cache_name: values.cacheName ?? null,
        input_arguments: values.inputArguments ?? null,
      };
      return tryPlugin(values, io, '/api/v3/plugin_test/wal', json);
    },
  });
}

function schedulePlugin(): LeafModel {
  return clientCommand('Test', {
    name: 'schedule_plugin',
    about: 'Try a plugin that runs on a schedule',
    options: { ...shared, schedule: optional({ flag: 'schedule', type: valueTypes.text, help: 'Cron expression with seconds' }) },
    positionals: [fileWord],
    async run({ values, words: [filename = ''], io }) {
      const json = {
        filename,
        database: values.database,
        schedule: values.schedule ?? null,
        cache_name: values.cacheName ?? null,
        input_arguments: values.inputArguments ?? null,
      };
      return tryPlugin(values, io, '/api/v3/plugin_test/schedule', json);
    },
  });
}

async function inputLines(lines: string | undefined, file: string | undefined): Promise<string> {
  if (lines !== undefined) return lines;
  if (file === undefined) throw new CommandFailure('either --lp or --file must be provided');
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandFailure('unable to read input file', { hint: `the file is ${file}`, cause: error });
  });
}

async function tryPlugin(values: ConnectionValues, io: CliIo, path: string, json: unknown): Promise<number> {
  const { body } = await withClient(values, { io }, (client) => client.fetch({ method: 'POST', path, json }));
  await print(io, JSON.stringify(JSON.parse(body.toString('utf8')), null, 2));
  return 0;
}
