import { valueTypes } from '../../config/index.ts';
import type { ApiRequest } from '../client/api-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { type ConnectionValues, connectionOptions, formatOption, wireFormat, withClient } from '../client/connection.ts';
import { printResult } from '../client/result-output.ts';
import { flag, type GroupModel, group, type LeafModel, optional } from '../command-model.ts';
import type { CliIo } from '../io.ts';
import { systemGroup } from './show-system.ts';

/** `show` and everything below it. */
export function showGroup(): GroupModel {
  return group({
    name: 'show',
    about: 'Show databases, tokens, plugins, retention and system tables',
    children: [showDatabases(), showTokens(), showPlugins(), systemGroup(), showRetention()],
  });
}

function showDatabases(): LeafModel {
  return clientCommand('Show', {
    name: 'databases',
    about: 'List the databases',
    options: { ...connectionOptions, showDeleted: flag({ flag: 'show-deleted', help: 'Deleted ones too' }), ...formatOption },
    async run({ values, io }) {
      const query = { format: wireFormat(values.format), show_deleted: String(values.showDeleted) };
      return showAnswer(values, values.format, io, { method: 'GET', path: '/api/v3/configure/database', query });
    },
  });
}

function showTokens(): LeafModel {
  return clientCommand('Show', {
    name: 'tokens',
    about: 'List the tokens',
    options: { ...connectionOptions, ...formatOption },
    run: ({ values, io }) => showInternal(values, values.format, io, 'SELECT * FROM system.tokens'),
  });
}

function showPlugins(): LeafModel {
  return clientCommand('Show', {
    name: 'plugins',
    about: 'List the plugin files of the triggers',
    options: { ...connectionOptions, ...formatOption },
    run: ({ values, io }) => showInternal(values, values.format, io, 'SELECT * FROM system.plugin_files'),
  });
}

function showRetention(): LeafModel {
  return clientCommand('Show', {
    name: 'retention',
    about: 'Show how long databases keep their rows',
    options: {
      ...connectionOptions,
      database: optional({ flag: 'database', placeholder: 'DATABASE_NAME', type: valueTypes.text, help: 'Only this database' }),
      ...formatOption,
    },
    run: ({ values, io }) => showInternal(values, values.format, io, retentionQuery(values.database)),
  });
}

/** Retention in the largest unit that divides it exactly; no retention is `infinite`. */
function retentionQuery(database: string | undefined): string {
  // Unsigned by signed division is decimal in this dialect.
  const nanos = 'cast(retention_period_ns AS bigint)';
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const cases = units.map(([name, seconds]) => {
    const unit = `${seconds}000000000`;
    return `WHEN ${nanos} % ${unit} = 0 THEN concat(cast(${nanos} / ${unit} AS varchar), '${name}')`;
  });
  const filter = database === undefined ? '' : ` WHERE database_name = '${database.replaceAll("'", "''")}'`;
  return `SELECT database_name, CASE WHEN ${nanos} IS NULL THEN 'infinite' ${cases.join(' ')} ELSE concat(cast(${nanos} / 1000000000 AS varchar), 's') END AS retention_period FROM system.databases${filter} ORDER BY database_name`;
}

function showInternal(values: ConnectionValues, format: string, io: CliIo, q: string): Promise<number> {
  const json = { db: '_internal', q, format: wireFormat(format), params: null };
  return showAnswer(values, format, io, { method: 'POST', path: '/api/v3/query_sql', json });
}

async function showAnswer(values: ConnectionValues, format: string, io: CliIo, request: ApiRequest): Promise<number> {
  await withClient(values, { io }, async (client) => printResult(await client.send(request), format, io));
  return 0;
}
