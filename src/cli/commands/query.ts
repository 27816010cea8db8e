import { valueTypes } from '../../config/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, databaseOption, formatOption, wireFormat, withClient } from '../client/connection.ts';
import { chooseInput, readInputText } from '../client/input.ts';
import { withDatabaseHint } from '../client/near-names.ts';
import { printResult, saveResult } from '../client/result-output.ts';
import { defaulted, type LeafModel, optional } from '../command-model.ts';

// compat: two spaces after `in,`.
const noInput = 'No input from stdin detected, no string was passed in,  and no file path was given';

/** `query`. */
export function queryCommand(): LeafModel {
  return clientCommand('Query', {
    name: 'query',
    aliases: ['q'],
    about: 'Ask a running server',
    options: {
      ...connectionOptions,
      ...databaseOption,
      queryHost: optional({
        flag: 'query-host',
        env: 'INFLUXDB3_QUERY_HOST_URL',
        placeholder: 'QUERY_HOST_URL',
        type: valueTypes.hostUrl,
        help: 'Server for queries, before --host',
      }),
      language: defaulted('sql', {
        flag: 'language',
        short: 'l',
        type: valueTypes.oneOf(['sql', 'influxql'] as const),
        help: 'Language of the query',
      }),
      ...formatOption,
      output: optional({ flag: 'output', short: 'o', placeholder: 'OUTPUT_FILE_PATH', type: valueTypes.path, help: 'File for the result' }),
      file: optional({ flag: 'file', short: 'f', placeholder: 'FILE_PATH', type: valueTypes.path, help: 'File that holds the query' }),
    },
    positionals: [{ name: 'QUERY', required: false, help: 'The query; without it, --file or standard input' }],
    async run(call) {
      const { values, io } = call;
      const source = chooseInput({ word: call.words[0], file: values.file }, io, noInput);
      const text = await readInputText(source, io);
      await withClient({ ...values, host: values.queryHost ?? values.host }, call, (client) =>
        withDatabaseHint(client, values.database, async () => {
          const json = { db: values.database, q: text, format: wireFormat(values.format), params: null };
          const answer = await client.send({ method: 'POST', path: `/api/v3/query_${values.language}`, json });
          if (values.output === undefined) await printResult(answer, values.format, io);
          else await saveResult(answer, values.output);
        }),
      );
      return 0;
    },
  });
}
