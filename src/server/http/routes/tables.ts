import type { FastifyInstance } from 'fastify';
import type { NewField, TableAdmin } from '../../../admin/admin-service.ts';
import { validateDatabaseName } from '../../../catalog/index.ts';
import type { JsonObjectReader } from '../request/json-body.ts';
import { readJsonObject } from '../request/json-endpoint.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import { serdeError } from '../response/errors.ts';
import { parseHardDelete } from './hard-delete.ts';

export interface TableEndpointDependencies {
  readonly tables: TableAdmin;
  readonly maxBodyBytes: number;
}

const PATH = '/api/v3/configure/table';
const FIELD_TYPES = ['utf8', 'int64', 'uint64', 'float64', 'bool'] as const;

const deleteRules = {
  db: { kind: 'string', required: true },
  table: { kind: 'string', required: true },
  hard_delete_at: { kind: 'string' },
} as const;

/** Tables. */
export function registerTables(app: FastifyInstance, deps: TableEndpointDependencies): void {
  const { tables, maxBodyBytes } = deps;

  app.post(PATH, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'CreateTableRequest', ['db', 'table', 'tags', 'fields']);
    const database = body.string('db');
    const table = body.string('table');
    const tags = [...new Set(body.stringArray('tags'))];
    const fields = fieldsOf(body);
    validateDatabaseName(database);
    await tables.create({ database, table, tags, fields });
    return reply.code(200).send();
  });

  app.delete(PATH, async (request, reply) => {
    const params = decodeParams(splitTarget(request.originalUrl).query ?? '', deleteRules, serdeError);
    await tables.delete({
      database: params.get('db') ?? '',
      table: params.get('table') ?? '',
      hardDelete: parseHardDelete(params.get('hard_delete_at')),
    });
    return reply.code(200).send();
  });

  app.post(`${PATH}/undelete`, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'UndeleteTableRequest', ['db', 'table', 'new_name']);
    await tables.undelete({ database: body.string('db'), table: body.string('table'), newName: body.optionalString('new_name') });
    return reply.code(200).send();
  });
}

function fieldsOf(body: JsonObjectReader): NewField[] {
  return body.array('fields').map((node) => {
    const field = body.nested(node, 'FieldType', ['name', 'type']);
    return { name: field.string('name'), type: field.variant('type', FIELD_TYPES) as NewField['type'] };
  });
}
