import { nearestOf } from '../../config/index.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError, CommandFailure } from './failure.ts';

/** Runs the work; when the server does not know the database, the failure names the ones that look alike. */
export async function withDatabaseHint<T>(client: ApiClient, database: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError) || !/database not found|Database not found/.test(error.body)) throw error;
    throw new CommandFailure(error.message, { hint: await databaseHint(client, database), cause: error });
  }
}

async function databaseHint(client: ApiClient, database: string): Promise<string> {
  const names = await databaseNames(client);
  const near = nearestOf(database, names, 3);
  if (near.length > 0) return `did you mean ${near.map((name) => `'${name}'`).join(' or ')}?`;
  return "'influxdb3 show databases' lists the databases; one is made by 'influxdb3 create database' or by the first write";
}

async function databaseNames(client: ApiClient): Promise<string[]> {
  try {
    const { body } = await client.fetch({
      method: 'GET',
      path: '/api/v3/configure/database',
      query: { format: 'json', show_deleted: 'false' },
    });
    const rows = JSON.parse(body.toString('utf8')) as readonly Readonly<Record<string, unknown>>[];
    return rows.flatMap((row) => (typeof row['iox::database'] === 'string' ? [row['iox::database']] : []));
  } catch {
    // The list is a courtesy; without it the first failure is what counts.
    return [];
  }
}
