import { InfluxError } from '../shared/errors.ts';

/** `--plugin-dir` was not given. */
export function noPluginDirectory(): InfluxError {
  return new InfluxError({ code: 'NO_PLUGIN_DIR', message: 'Plugin error: Node not configured with plugin directory', status: 500 });
}

/** What is wrong with a plugin file or name. */
export function pluginError(detail: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'PLUGIN_ERROR', message: `Plugin error: ${detail}`, status: 500, cause });
}

/** 400: a trigger specification that cannot be read; `context` says what is wrong with it. */
export function invalidTriggerSpec(spec: string, context: string | undefined): InfluxError {
  const why = context === undefined ? '' : `: ${context}`;
  return new InfluxError({ code: 'TRIGGER_SPECIFICATION', message: `failed to parse trigger from ${spec}${why}`, status: 400 });
}

/** `--restrict-plugin-triggers-to` leaves this kind out. */
export function triggerKindRestricted(kind: string): InfluxError {
  const message = `invalid request: server is configured to reject ${kind} plugin triggers`;
  return new InfluxError({ code: 'TRIGGER_KIND_RESTRICTED', message, status: 400 });
}

/** A request plugin failed; `text` is what `invocationError` made. */
export function requestPluginFailed(text: string): InfluxError {
  return new InfluxError({ code: 'PLUGIN_FAILED', message: text, status: 500, shape: 'json' });
}

/** 504: a plugin did not end in its time. */
export function pluginTimeout(text: string): InfluxError {
  return new InfluxError({ code: 'PLUGIN_TIMEOUT', message: text, status: 504, shape: 'json' });
}

/** 503: as many requests as may wait for a plugin are waiting. */
export function tooManyEngineRequests(waiting: number): InfluxError {
  const message = `too many requests wait for this plugin (${waiting})`;
  return new InfluxError({ code: 'ENGINE_BUSY', message, status: 503, shape: 'json' });
}

/** 503: a call that came while the server ends. */
export function engineStopping(): InfluxError {
  return new InfluxError({ code: 'ENGINE_STOPPING', message: 'the processing engine is stopping', status: 503, shape: 'json' });
}

/** A plugin file could not be changed. */
export function pluginFileError(detail: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'PLUGIN_FILE_ERROR', message: `Processing engine error: plugin error: ${detail}`, status: 500, cause });
}

/** 500: `pip` ended with a failure; `detail` has its last words. */
export function packageInstallFailed(detail: string, cause?: unknown): InfluxError {
  const message = `Processing engine error: error installing python packages: ${detail}`;
  return new InfluxError({ code: 'PACKAGE_INSTALL_FAILED', message, status: 500, cause });
}

/** 403: installing packages is switched off. */
export function packageInstallDisabled(): InfluxError {
  return new InfluxError({
    code: 'PACKAGE_INSTALL_DISABLED',
    message: 'Package installation has been disabled. Contact your administrator for more information.',
    status: 403,
  });
}
