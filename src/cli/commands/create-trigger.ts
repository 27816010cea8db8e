import { ValueError, type ValueType, valueTypes } from '../../config/index.ts';
import { formatDurationNs, parseDurationNs } from '../../shared/duration.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, databaseOption, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { readPluginFiles } from '../client/plugin-files.ts';
import { defaulted, flag, type LeafModel, optional, required } from '../command-model.ts';
import { print, write } from '../io.ts';

const forms =
  "expect one of the following forms: 'table:<TABLE_NAME>', 'all_tables', 'cron:<CRON_EXPRESSION>', 'every:<DURATION>', or 'request:<PATH>'";
const yearNs = 31_557_600n * 1_000_000_000n;

/** Trigger specification, trimmed and in the form that is sent. */
const triggerSpec: ValueType<string> = {
  name: 'trigger specification',
  parse(value) {
    const text = value.trim();
    if (text === 'all_tables') return text;
    const match = /^(table|cron|every|request):(.*)$/s.exec(text);
    if (match === null) throw new ValueError(`failed to parse trigger from ${value}: ${forms}`);
    const [, kind = '', rest = ''] = match;
    const inner = rest.trim();
    if (kind === 'every') return `every:${everyDuration(text, inner)}`;
    if (kind === 'cron') checkCron(text, inner);
    if (kind === 'table' && inner === '') throw new ValueError(`failed to parse trigger from ${text}: table name is empty`);
    if (kind === 'request' && inner === '') throw new ValueError(`failed to parse trigger from ${text}: request path is empty`);
    return `${kind}:${inner}`;
  },
};

/** `k=v,k2=v2`, split at the first `=`. */
export const keyValues: ValueType<Readonly<Record<string, string>>> = {
  name: 'key=value list',
  parse: (value) =>
    Object.fromEntries(
      value.split(',').map((pair) => {
        const equals = pair.indexOf('=');
        if (equals === -1) throw new ValueError('must be formatted as "key=value"');
        return [pair.slice(0, equals), pair.slice(equals + 1)];
      }),
    ),
};

/** `create trigger`. */
export function createTrigger(): LeafModel {
  return clientCommand('Create', {
    name: 'trigger',
    about: 'Create a new trigger that runs a plugin',
    options: {
      ...connectionOptions,
      ...databaseOption,
      path: optional({ flag: 'path', type: valueTypes.text, help: 'Plugin file or folder: on the server, or here with --upload' }),
      pluginFilename: optional({ flag: 'plugin-filename', type: valueTypes.text, help: 'Older name of --path' }),
      triggerSpec: required({
        flag: 'trigger-spec',
        placeholder: 'TRIGGER_SPECIFICATION',
        type: triggerSpec,
        help: 'When it runs: table:<name>, all_tables, cron:<expression>, every:<duration>, request:<path>',
      }),
      triggerArguments: optional({ flag: 'trigger-arguments', type: keyValues, help: 'Arguments for the plugin: k=v,k2=v2' }),
      disabled: flag({ flag: 'disabled', help: 'Create it switched off' }),
      runAsynchronous: flag({ flag: 'run-asynchronous', help: 'Let runs overlap' }),
      errorBehavior: defaulted('log', {
        flag: 'error-behavior',
        type: valueTypes.oneOf(['log', 'retry', 'disable'] as const),
        help: 'What happens when the plugin fails',
      }),
      upload: flag({ flag: 'upload', help: 'Send the local plugin to the server first' }),
    },
    positionals: [{ name: 'TRIGGER_NAME', required: true, help: 'Name of the trigger' }],
    async run(call) {
      const { values, io } = call;
      const [name = ''] = call.words;
      const plugin = values.path ?? values.pluginFilename;
      if (plugin === undefined) throw new CommandFailure('Either --path or --plugin-filename must be provided');
      const files = values.upload ? await readPluginFiles(plugin) : undefined;
      const json = {
        db: values.database,
        plugin_filename: files?.name ?? plugin,
        trigger_name: name,
        trigger_settings: { run_async: values.runAsynchronous, error_behavior: values.errorBehavior },
        trigger_specification: values.triggerSpec,
        trigger_arguments: values.triggerArguments ?? null,
        disabled: values.disabled,
      };
      await withClient(values, call, async (client) => {
        for (const { path, content } of files?.files ?? []) {
          const body = { plugin_name: path, content };
          await client.fetch({ method: 'POST', path: '/api/v3/plugins/files', query: { db: values.database }, json: body });
        }
        try {
          await client.fetch({ method: 'POST', path: '/api/v3/configure/processing_engine_trigger', json });
        } catch (error) {
          if (error instanceof CommandFailure) await write(io.stderr, `Failed to create trigger: ${error.message}\n`);
          throw error;
        }
      });
      await print(io, `Trigger ${name} created successfully`);
      return 0;
    },
  });
}

function everyDuration(text: string, inner: string): string {
  let ns: bigint;
  try {
    ns = parseDurationNs(inner);
  } catch {
    throw new ValueError(`failed to parse trigger from ${text}: couldn't parse to duration`);
  }
  if (ns > yearNs) throw new ValueError(`failed to parse trigger from ${text}: don't support every schedules of over 1 year`);
  return formatDurationNs(ns);
}

/** Six or seven fields, seconds first; the server checks them again in full. */
function checkCron(text: string, inner: string): void {
  const fields = inner.split(/\s+/);
  const wellFormed = fields.every((field) => /^[0-9A-Za-z*?,/#L-]+$/.test(field));
  if ((fields.length === 6 || fields.length === 7) && wellFormed) return;
  throw new ValueError(`failed to parse trigger from ${text}: expected 6 or 7 cron fields, seconds first`);
}
