export { type InvocationType, type PluginLimits, ProcessingEngine, type ProcessingEngineOptions } from './engine.ts';
export { PluginCodeReader } from './plugins/plugin-code.ts';
export { DEFAULT_PLUGIN_REPO } from './plugins/plugin-repo.ts';
export type { EngineRequest, EngineResponse, EngineService, TriggerRequest, TriggerService } from './processing-service.ts';
export { PythonEnvironment } from './python/python-environment.ts';
export { TriggerAdmin } from './trigger-admin.ts';
export type { TriggerLogRow } from './trigger-log.ts';
export { registerTriggerMetrics } from './triggers/trigger-metrics.ts';
