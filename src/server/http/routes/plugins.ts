import type { FastifyInstance } from 'fastify';
import type { DryRunResult, PluginService } from '../../../processing/processing-service.ts';
import type { JsonObjectReader } from '../request/json-body.ts';
import { readJsonObject } from '../request/json-endpoint.ts';
import { splitTarget } from '../request/query-string.ts';
import { sendJson } from '../response/error-response.ts';

export interface PluginEndpointDependencies {
  readonly plugins: PluginService;
  readonly maxBodyBytes: number;
}

const TEST_MEMBERS = ['filename', 'database', 'input_lp', 'schedule', 'cache_name', 'input_arguments'];

/** Files of plugins, dry runs, and Python packages. */
export function registerPlugins(app: FastifyInstance, deps: PluginEndpointDependencies): void {
  registerFiles(app, deps);
  registerTests(app, deps);
  registerPackages(app, deps);
}

function registerFiles(app: FastifyInstance, { plugins, maxBodyBytes }: PluginEndpointDependencies): void {
  app.post('/api/v3/plugins/files', async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'PluginFileRequest', ['plugin_name', 'content']);
    await plugins.upload(body.string('plugin_name'), body.string('content'));
    return reply.code(200).send();
  });

  app.put('/api/v3/plugins/files', async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'PluginFileRequest', ['plugin_name', 'content']);
    await plugins.updateFile(body.string('plugin_name'), databaseOf(request.originalUrl), body.string('content'));
    return reply.code(200).send();
  });

  app.put('/api/v3/plugins/directory', async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'PluginDirectoryRequest', ['plugin_name', 'files']);
    const trigger = body.string('plugin_name');
    const files = body.array('files').map((node) => {
      const file = body.nested(node, 'PluginFileEntry', ['relative_path', 'content']);
      return { relativePath: file.string('relative_path'), content: file.string('content') };
    });
    await plugins.replaceDirectory(trigger, databaseOf(request.originalUrl), files);
    return reply.code(200).send();
  });
}

function registerTests(app: FastifyInstance, { plugins, maxBodyBytes }: PluginEndpointDependencies): void {
  app.post('/api/v3/plugin_test/wal', async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'WalPluginTestRequest', TEST_MEMBERS);
    const result = await plugins.testWal({ ...testRequest(body), lines: body.string('input_lp') });
    return sendJson(reply, shownResult(result));
  });

  app.post('/api/v3/plugin_test/schedule', async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'SchedulePluginTestRequest', TEST_MEMBERS);
    const result = await plugins.testSchedule({ ...testRequest(body), cron: body.optionalString('schedule') });
    return sendJson(reply, { trigger_time: timeText(result.timeMs), ...shownResult(result) });
  });
}

function registerPackages(app: FastifyInstance, { plugins, maxBodyBytes }: PluginEndpointDependencies): void {
  const path = '/api/v3/configure/plugin_environment';
  app.post(`${path}/install_packages`, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'ProcessingEngineInstallPackagesRequest', ['packages']);
    await plugins.installPackages(body.stringArray('packages'));
    return reply.code(200).send();
  });

  app.post(`${path}/install_requirements`, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'ProcessingEngineInstallRequirementsRequest', ['requirements_location']);
    await plugins.installRequirements(body.string('requirements_location'));
    return reply.code(200).send();
  });
}

function testRequest(body: JsonObjectReader): Parameters<PluginService['testWal']>[0] {
  return {
    filename: body.string('filename'),
    database: body.string('database'),
    lines: '',
    cacheName: body.optionalString('cache_name'),
    arguments: body.optionalStringMap('input_arguments'),
  };
}

function shownResult({ databaseWrites, errors, logLines }: DryRunResult): Record<string, unknown> {
  return { log_lines: logLines, database_writes: Object.fromEntries(databaseWrites), errors };
}

/** RFC 3339, with a fraction only if there is one. */
function timeText(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString().replace(/\.000Z$/, 'Z');
}

function databaseOf(url: string): string | undefined {
  return new URLSearchParams(splitTarget(url).query ?? '').get('db') ?? undefined;
}
