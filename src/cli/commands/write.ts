import { ValueError, type ValueType, valueTypes } from '../../config/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { chooseInput, openMeasured } from '../client/input.ts';
import { writeLines } from '../client/write-lines.ts';
import { defaulted, flag, type LeafModel, optional } from '../command-model.ts';

const noInput = 'No input from stdin detected, no string was passed in, and no file path was given';
const oneString = 'ensure that a single protocol line string is provided as the final argument, enclosed in quotes';

const precisionWords: ReadonlyMap<string, string> = new Map([
  ['auto', 'auto'],
  ...['s', 'second'].map((word) => [word, 'second'] as const),
  ...['ms', 'millisecond'].map((word) => [word, 'millisecond'] as const),
  ...['us', 'u', 'microsecond'].map((word) => [word, 'microsecond'] as const),
  ...['ns', 'n', 'nanosecond'].map((word) => [word, 'nanosecond'] as const),
]);

const precision: ValueType<string> = {
  name: 'precision',
  parse(value) {
    const word = precisionWords.get(value);
    if (word === undefined) throw new ValueError(`unrecognized precision unit: ${value}`);
    return word;
  },
};

const atLeastOne: ValueType<number> = {
  name: 'number',
  parse(value, facts) {
    const number = valueTypes.integer.parse(value, facts);
    if (number < 1) throw new ValueError('value must be at least 1');
    return number;
  },
};

/** `write`. */
export function writeCommand(): LeafModel {
  return clientCommand('Write', {
    name: 'write',
    aliases: ['w'],
    about: 'Write line protocol to a running server',
    optionsFirst: true,
    options: {
      ...connectionOptions,
      ...databaseOption,
      writeHost: optional({
        flag: 'write-host',
        env: 'INFLUXDB3_WRITE_HOST_URL',
        placeholder: 'WRITE_HOST_URL',
        type: valueTypes.hostUrl,
        help: 'Server for writes, before --host',
      }),
      file: optional({
        flag: 'file',
        short: 'f',
        placeholder: 'FILE_PATH',
        type: valueTypes.path,
        help: 'File with line protocol, plain or zipped (.lp.gz)',
      }),
      acceptPartial: flag({ flag: 'accept-partial', help: 'Go on behind lines that are wrong; they are told at the end' }),
      noSync: flag({ flag: 'no-sync', help: 'Do not wait until the rows are on disk' }),
      gzip: flag({ flag: 'gzip', help: 'Zip each request' }),
      precision: optional({ flag: 'precision', short: 'p', type: precision, help: 'Unit of the timestamps: auto, s, ms, us, ns' }),
      maxRequestSize: defaulted('10485760', {
        flag: 'max-request-size',
        type: atLeastOne,
        help: 'Largest body in bytes; longer input is cut at line ends',
      }),
      maxConcurrentRequests: defaulted('32', { flag: 'max-concurrent-requests', type: atLeastOne, help: 'Requests under way at once' }),
      quiet: flag({ flag: 'quiet', short: 'q', help: 'No progress on standard error' }),
    },
    positionals: [
      { name: 'LINE_PROTOCOL', required: false, variadic: true, help: 'Lines, in one quoted word; without it, --file or standard input' },
    ],
    async run(call) {
      const { values, words, io } = call;
      if (words.length > 1) throw new CommandFailure(oneString);
      const source = chooseInput({ word: words[0], file: values.file }, io, noInput);
      const input = await openMeasured(source, io).catch((error: unknown) => {
        throw new CommandFailure(`error reading file: ${(error as Error).message}`, { cause: error });
      });
      await withClient({ ...values, host: values.writeHost ?? values.host }, call, (client) =>
        writeLines(client, input, io, {
          database: values.database,
          precision: values.precision,
          acceptPartial: values.acceptPartial,
          noSync: values.noSync,
          gzip: values.gzip,
          requestBytesMax: values.maxRequestSize,
          requestsMax: values.maxConcurrentRequests,
          goOn: values.acceptPartial,
          quiet: values.quiet,
        }),
      );
      return 0;
    },
  });
}
