import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ValueError, type ValueType, valueTypes } from '../../config/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { defaulted, flag, type LeafModel, optional } from '../command-model.ts';
import type { FieldKind } from '../import/csv-rows.ts';

const KINDS = ['float', 'integer', 'unsigned', 'string', 'boolean'] as const satisfies readonly FieldKind[];

const fieldKinds: ValueType<ReadonlyMap<string, FieldKind>> = {
  name: 'name:kind list',
  isList: true,
  parse: (value) =>
    new Map(
      value.split(',').map((pair) => {
        const [name = '', kind = 'float'] = pair.split(':');
        const known = KINDS.find((word) => word === kind);
        if (known === undefined) throw new ValueError(`${kind} is none of ${KINDS.join(', ')}`);
        return [name, known];
      }),
    ),
};

const precisions = { auto: 'auto', s: 'second', ms: 'millisecond', us: 'microsecond', ns: 'nanosecond' } as const;

/** `import`: files and other servers. */
export function importCommand(): LeafModel {
  return clientCommand('Import', {
    name: 'import',
    about: 'Import a file (line protocol, CSV, Parquet) or what a running InfluxDB 1, 2 or 3 has',
    options: {
      ...connectionOptions,
      database: optional({
        flag: 'database',
        short: 'd',
        env: 'INFLUXDB3_DATABASE_NAME',
        type: valueTypes.text,
        help: 'Database that the rows go to; sources that name theirs need none',
      }),
      format: optional({
        flag: 'format',
        type: valueTypes.oneOf(['lp', 'csv', 'parquet'] as const),
        help: 'Format of the file; without it by its name',
      }),
      precision: optional({
        flag: 'precision',
        short: 'p',
        type: valueTypes.oneOf(['auto', 's', 'ms', 'us', 'ns'] as const),
        help: 'Unit of times that are whole numbers',
      }),
      table: optional({ flag: 'table', short: 't', type: valueTypes.text, help: 'Table for CSV and Parquet files that name none' }),
      timeColumn: optional({
        flag: 'time-column',
        type: valueTypes.text,
        help: 'Column of the times, of plain CSV and Parquet; without it time',
      }),
      tags: optional({
        flag: 'tag-columns',
        type: valueTypes.listOf(valueTypes.text),
        help: 'Columns that are tags, of plain CSV and Parquet',
      }),
      fields: optional({
        flag: 'field-columns',
        type: fieldKinds,
        help: 'Fields of plain CSV as name:kind, of float, integer, unsigned, string, boolean',
      }),
      from: optional({ flag: 'from', type: valueTypes.hostUrl, help: 'Server to import from, instead of a file' }),
      fromVersion: optional({
        flag: 'from-version',
        type: valueTypes.oneOf(['1', '2', '3'] as const),
        help: 'Generation of that server; without it as it says',
      }),
      fromDatabase: optional({
        flag: 'from-database',
        type: valueTypes.listOf(valueTypes.text),
        help: 'Databases, or the bucket, to import; without it all',
      }),
      fromOrg: optional({ flag: 'from-org', type: valueTypes.text, help: 'Organization of an InfluxDB 2' }),
      fromToken: optional({
        flag: 'from-token',
        env: 'INFLUXDB3_IMPORT_TOKEN',
        type: valueTypes.text,
        secret: true,
        help: 'Token for that server; user:password for InfluxDB 1',
      }),
      errorsFile: optional({
        flag: 'errors-file',
        type: valueTypes.path,
        help: 'File that gets every row that was not stored, with its number and the reason',
      }),
      fresh: flag({ flag: 'fresh', help: 'Begin anew although an earlier run did not end' }),
      maxRequestSize: defaulted('2097152', { flag: 'max-request-size', type: valueTypes.positiveInteger, help: 'Largest body in bytes' }),
      maxConcurrentRequests: defaulted('4', {
        flag: 'max-concurrent-requests',
        type: valueTypes.positiveInteger,
        help: 'Requests under way at once',
      }),
      quiet: flag({ flag: 'quiet', short: 'q', help: 'No progress on standard error' }),
    },
    positionals: [{ name: 'FILE', required: false, help: 'File to import: .lp, .csv, each also with .gz, or .parquet' }],
    async run(call) {
      const {
        values,
        words: [word],
        io,
      } = call;
      if ((word === undefined) === (values.from === undefined)) throw new CommandFailure('name one file, or a server with --from');
      const { ImportState } = await import('../import/state.ts');
      const { runImport } = await import('../import/run-import.ts');
      const { detectVersion, formatOf, openFile, openServer } = await import('../import/sources.ts');
      const path = word === undefined ? undefined : resolve(io.cwd, word);
      const facts = path === undefined ? undefined : await stat(path).catch(() => undefined);
      const { table, tags, fields, timeColumn, database, from, fromDatabase, precision } = values;
      const identity = [
        path,
        facts?.size,
        facts?.mtimeMs,
        from,
        fromDatabase,
        database,
        table,
        timeColumn,
        tags,
        [...(fields ?? [])],
        precision,
        values.host,
      ];
      const state = new ImportState(io.cwd, identity);
      if (values.fresh) await state.remove();
      const position = (await state.read())?.position;
      const errorsFile = values.errorsFile === undefined ? undefined : resolve(io.cwd, values.errorsFile);
      const options = {
        database: database ?? '',
        precision: from === undefined ? (precision === undefined ? undefined : precisions[precision]) : 'nanosecond',
        requestBytesMax: values.maxRequestSize,
        requestsMax: values.maxConcurrentRequests,
        quiet: values.quiet,
        errorsFile,
      };
      await withClient(values, call, async (client) => {
        if (path !== undefined) {
          const format = values.format ?? formatOf(path);
          if (format !== 'lp' && database === undefined)
            throw new CommandFailure('a CSV or Parquet file names no database', { hint: 'give it with --database' });
          // Times of CSV and Parquet that are no numbers are written in nanoseconds.
          const unit = format === 'lp' || precision !== undefined ? options.precision : 'nanosecond';
          const mapping = { table, time: timeColumn, tags: tags ?? [], tagsGiven: tags !== undefined, fields };
          const file = { path, format, database, mapping, requestBytesMax: values.maxRequestSize, position };
          await runImport(client, (refuse) => openFile(file, io, refuse), state, io, { ...options, precision: unit });
          return;
        }
        const { fromToken: token } = values;
        await withClient(
          { ...values, host: from ?? '', token: token?.includes(':') === true ? `basic:${token}` : token },
          call,
          async (source) => {
            const version = values.fromVersion === undefined ? await detectVersion(source) : (Number(values.fromVersion) as 1 | 2 | 3);
            const server = {
              version,
              databases: fromDatabase,
              organization: values.fromOrg,
              database,
              requestBytesMax: values.maxRequestSize,
              position,
            };
            await runImport(client, (refuse) => openServer(source, server, refuse), state, io, options);
          },
        );
      });
      return 0;
    },
  });
}
