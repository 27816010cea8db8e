import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TriggerRequest, TriggerService } from '../../../processing/processing-service.ts';
import type { JsonObjectReader } from '../request/json-body.ts';
import { readJsonObject } from '../request/json-endpoint.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import { serdeError } from '../response/errors.ts';

export interface TriggerEndpointDependencies {
  readonly triggers: TriggerService;
  readonly maxBodyBytes: number;
}

const PATH = '/api/v3/configure/processing_engine_trigger';

/** Lower case is what InfluxDB 3 Core takes, its documentation also has the others. */
const ERROR_BEHAVIORS = ['log', 'retry', 'disable', 'Log', 'Retry', 'Disable'];

const createMembers = [
  'db',
  'plugin_filename',
  'trigger_name',
  'trigger_settings',
  'trigger_specification',
  'trigger_arguments',
  'disabled',
];
const deleteRules = {
  db: { kind: 'string', required: true },
  trigger_name: { kind: 'string', required: true },
  force: { kind: 'boolean' },
} as const;
const enableRules = { db: { kind: 'string', required: true }, trigger_name: { kind: 'string', required: true } } as const;

/** Triggers and the HTTP side of the processing engine. */
export function registerTriggers(app: FastifyInstance, deps: TriggerEndpointDependencies): void {
  const { triggers, maxBodyBytes } = deps;

  app.post(PATH, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'ProcessingEngineTriggerCreateRequest', createMembers);
    await triggers.create(newTrigger(body));
    return reply.code(200).send();
  });

  app.delete(PATH, async (request, reply) => {
    await triggers.delete(await deleteTarget(request, maxBodyBytes));
    return reply.code(200).send();
  });

  for (const enabled of [true, false]) {
    app.post(`${PATH}/${enabled ? 'enable' : 'disable'}`, async (request, reply) => {
      const params = decodeParams(splitTarget(request.originalUrl).query ?? '', enableRules, serdeError);
      await triggers.setEnabled({ database: params.get('db') ?? '', triggerName: params.get('trigger_name') ?? '', enabled });
      return reply.code(200).send();
    });
  }
}

function newTrigger(body: JsonObjectReader): TriggerRequest {
  const database = body.string('db');
  const pluginFileName = body.string('plugin_filename');
  const triggerName = body.string('trigger_name');
  // The published documentation shows requests without the members that have a usual value.
  const node = body.optionalNode('trigger_settings');
  const settings = node === undefined ? undefined : body.nested(node, 'TriggerSettings', ['run_async', 'error_behavior']);
  return {
    database,
    pluginFileName,
    triggerName,
    runAsync: settings?.optionalBoolean('run_async') ?? false,
    errorBehavior: (settings?.optionalVariant('error_behavior', ERROR_BEHAVIORS)?.toLowerCase() ??
      'log') as TriggerRequest['errorBehavior'],
    specification: body.string('trigger_specification'),
    arguments: body.optionalStringMap('trigger_arguments'),
    disabled: body.optionalBoolean('disabled') ?? false,
  };
}

async function deleteTarget(
  request: FastifyRequest,
  maxBodyBytes: number,
): Promise<{ database: string; triggerName: string; force: boolean }> {
  const { query } = splitTarget(request.originalUrl);
  if (query !== undefined) {
    const params = decodeParams(query, deleteRules, serdeError);
    return { database: params.get('db') ?? '', triggerName: params.get('trigger_name') ?? '', force: params.get('force') === 'true' };
  }
  const body = await readJsonObject(request, maxBodyBytes, 'ProcessingEngineTriggerDeleteRequest', ['db', 'trigger_name', 'force']);
  return { database: body.string('db'), triggerName: body.string('trigger_name'), force: body.optionalBoolean('force') ?? false };
}
