import { ValueError, type ValueType, valueTypes } from '../../config/index.ts';
import type { ApiClient } from '../client/api-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, databaseOption, formatOption, tlsOptions, wireFormat, withClient } from '../client/connection.ts';
import { ApiError, CommandFailure } from '../client/failure.ts';
import { printResult } from '../client/result-output.ts';
import { defaulted, type GroupModel, group, type LeafModel, optional } from '../command-model.ts';
import { print } from '../io.ts';

const { host, token } = connectionOptions;
const groupOptions = { ...databaseOption, host, token } as const;
const groupFlags = Object.values(groupOptions).map((spec) => spec.flag);
const leafOptions = { ...groupOptions, ...tlsOptions(), ...formatOption } as const;

const limitMax = 65_535;
const limit: ValueType<number> = {
  name: 'number',
  parse(value, facts) {
    const number = valueTypes.integer.parse(value, facts);
    if (number > limitMax) throw new ValueError(`${value} is not in 0..=${limitMax}`);
    return number;
  },
};

const columnList = valueTypes.listOf(valueTypes.text);

/** Column that orders a table when the user names none. */
const defaultOrder: ReadonlyMap<string, string> = new Map([
  ['cpu', 'usage_percent'],
  ['last_caches', 'count'],
  ['parquet_files', 'size_bytes'],
  ['queries', 'end2end_duration'],
  ['distinct_caches', 'max_cardinality'],
]);

/** `show system`: database, host and token stand before the sub-command. */
export function systemGroup(): GroupModel {
  return group({
    name: 'system',
    aliases: ['s'],
    about: 'Show system tables of a database',
    options: Object.values(groupOptions),
    children: [tableList(), table(), summary()],
  });
}

function tableList(): LeafModel {
  return clientCommand('Show', {
    name: 'table-list',
    about: 'List the system tables with their columns',
    options: leafOptions,
    groupFlags,
    async run({ values, io }) {
      await withClient(values, { io }, async (client) => {
        const answer = await ask(client, values.database, tableListQuery, values.format);
        await printResult(answer, values.format, io);
      });
      return 0;
    },
  });
}

function table(): LeafModel {
  return clientCommand('Show', {
    name: 'table',
    about: 'Show the rows of one system table',
    options: {
      ...leafOptions,
      limit: defaulted('100', { flag: 'limit', short: 'l', type: limit, help: 'Rows at most; 0 = all' }),
      orderBy: optional({ flag: 'order-by', short: 'o', type: columnList, help: 'Columns to order by' }),
      select: optional({ flag: 'select', short: 's', type: columnList, help: 'Columns to show' }),
    },
    groupFlags,
    positionals: [{ name: 'SYSTEM_TABLE', required: true, help: 'Name of the table, as table-list shows it' }],
    async run({ values, words: [name = ''], io }) {
      await withClient(values, { io }, async (client) => {
        const query = tableQuery(name, { limit: values.limit, orderBy: values.orderBy, select: values.select });
        const answer = await ask(client, values.database, query, values.format).catch((error: unknown) =>
          explain(error, client, values.database, name),
        );
        await printResult(answer, values.format, io);
      });
      return 0;
    },
  });
}

function summary(): LeafModel {
  return clientCommand('Show', {
    name: 'summary',
    about: 'Show the first rows of every system table',
    options: {
      ...leafOptions,
      limit: defaulted('10', { flag: 'limit', short: 'l', type: limit, help: 'Rows of each table at most; 0 = all' }),
    },
    groupFlags,
    async run({ values, io }) {
      await withClient(values, { io }, async (client) => {
        for (const name of await tableNames(client, values.database)) {
          await print(io, `${name} summary:`);
          const query = tableQuery(name, { limit: values.limit, orderBy: undefined, select: undefined });
          await printResult(await ask(client, values.database, query, values.format), values.format, io);
        }
      });
      return 0;
    },
  });
}

const tableListQuery =
  "SELECT table_name, array_agg(column_name) AS column_names FROM information_schema.columns WHERE table_schema = 'system' GROUP BY table_name ORDER BY table_name";

const namesQuery = "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'system' ORDER BY table_name";

interface TableChoice {
  readonly limit: number;
  readonly orderBy: readonly string[] | undefined;
  readonly select: readonly string[] | undefined;
}

/** SQL for the rows of one system table. */
function tableQuery(name: string, choice: TableChoice): string {
  const known = defaultOrder.get(name);
  const order = choice.orderBy ?? (known === undefined ? [] : [known]);
  const parts = [`SELECT ${choice.select?.map(identifier).join(', ') ?? '*'} FROM system.${identifier(name)}`];
  // Queries about system tables are mostly the look-ups of this command.
  if (name === 'queries') parts.push("WHERE query_text NOT LIKE '%information_schema%' AND query_text NOT LIKE '%system.%queries%'");
  if (order.length > 0) parts.push(`ORDER BY ${order.map(identifier).join(', ')}`);
  if (choice.limit > 0) parts.push(`LIMIT ${choice.limit}`);
  return parts.join(' ');
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function ask(client: ApiClient, database: string, q: string, format: string): ReturnType<ApiClient['send']> {
  try {
    return await client.send({
      method: 'POST',
      path: '/api/v3/query_sql',
      json: { db: database, q, format: wireFormat(format), params: null },
    });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    // compat: this command puts one more prefix before what the server said.
    throw new CommandFailure(`client error: ${error.message}`, { hint: error.hint, cause: error });
  }
}

async function tableNames(client: ApiClient, database: string): Promise<string[]> {
  const { body } = await ask(client, database, namesQuery, 'json');
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const rows = JSON.parse(Buffer.concat(chunks).toString('utf8')) as readonly { readonly table_name: string }[];
  return rows.map((row) => row.table_name);
}

/** A table that the server does not know becomes a message with the names that it knows. */
async function explain(error: unknown, client: ApiClient, database: string, name: string): Promise<never> {
  const answer = error instanceof CommandFailure && error.cause instanceof ApiError ? error.cause : undefined;
  if (answer === undefined || !answer.body.includes('not found') || answer.body.includes('database not found')) throw error;
  const names = await tableNames(client, database);
  throw new CommandFailure(
    `system table '${name}' not found: please use a valid system table name: [${names.map((known) => JSON.stringify(known)).join(', ')}]\n`,
  );
}
