/** What the HTTP routes and the administration need of the processing engine. */

/** A trigger as a client asks for it. */
export interface TriggerRequest {
  readonly database: string;
  /** Path below the plugin directory, or `gh:<path>`. */
  readonly pluginFileName: string;
  readonly triggerName: string;
  readonly runAsync: boolean;
  readonly errorBehavior: 'log' | 'retry' | 'disable';
  /** `table:<name>`, `all_tables`, `cron:<expression>`, `every:<duration>`, `request:<path>`. */
  readonly specification: string;
  /** Undefined = none were given, which plugins can tell from an empty map. */
  readonly arguments: ReadonlyMap<string, string> | undefined;
  readonly disabled: boolean;
}

/** Triggers in the catalog. Throws the catalogue errors of docs/errors.md. */
export interface TriggerService {
  create(trigger: TriggerRequest): Promise<void>;
  delete(options: { readonly database: string; readonly triggerName: string; readonly force: boolean }): Promise<void>;
  setEnabled(options: { readonly database: string; readonly triggerName: string; readonly enabled: boolean }): Promise<void>;
}

/** An HTTP request for a plugin. */
export interface EngineRequest {
  /** Raw, still percent-encoded text behind `/api/v3/engine/`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names, without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Unzipped. */
  readonly body: Uint8Array;
}

/** What a request plugin answered. */
export interface EngineResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** Request triggers. */
export interface EngineService {
  /** Undefined = no trigger serves the path. Rejects with PLUGIN_FAILED (500), ENGINE_BUSY, ENGINE_STOPPING (503), PLUGIN_TIMEOUT (504). */
  request(request: EngineRequest): Promise<EngineResponse | undefined>;
}
