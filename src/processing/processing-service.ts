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
  readonly body: Uint8Array | LongBody;
}

/** A body that comes piece by piece. The plugin goes on when a piece was taken; whoever leaves early ends it. */
export interface LongBody {
  /** Bytes of all pieces; undefined = not known yet. */
  readonly length: number | undefined;
  /** To be read once; throws when the plugin fails on the way. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Request triggers. */
export interface EngineService {
  /** Undefined = no trigger serves the path. Rejects with PLUGIN_FAILED (500), ENGINE_BUSY, ENGINE_STOPPING (503), PLUGIN_TIMEOUT (504). */
  request(request: EngineRequest): Promise<EngineResponse | undefined>;
  /** Database of the trigger that serves a path; undefined = none does. */
  databaseOf(path: string): string | undefined;
}

/** A file of a plugin directory, named below it. */
export interface PluginFileContent {
  readonly relativePath: string;
  readonly content: string;
}

/** A plugin that is tried without a trigger. */
export interface DryRunRequest {
  readonly filename: string;
  readonly database: string;
  readonly cacheName: string | undefined;
  readonly arguments: ReadonlyMap<string, string> | undefined;
}

/** What a dry run did. Nothing of it was stored. */
export interface DryRunResult {
  /** `LEVEL: text`, in order. */
  readonly logLines: readonly string[];
  /** By database: lines of `write_sync` in the order of the calls, then queued ones; one item for each line builder. */
  readonly databaseWrites: ReadonlyMap<string, readonly string[]>;
  readonly errors: readonly string[];
}

/** Plugin files, dry runs and Python packages. Throws the catalogue errors of docs/errors.md. */
export interface PluginService {
  /** Writes a file below the plugin directory; its folders are made, an existing file is replaced. */
  upload(name: string, content: string): Promise<void>;
  /** Replaces the file of a trigger's plugin. `database` undefined = the first trigger of that name. */
  updateFile(trigger: string, database: string | undefined, content: string): Promise<void>;
  /** Replaces all files of a trigger's plugin directory. */
  replaceDirectory(trigger: string, database: string | undefined, files: readonly PluginFileContent[]): Promise<void>;
  testWal(request: DryRunRequest & { readonly lines: string }): Promise<DryRunResult>;
  testSchedule(
    request: DryRunRequest & { readonly cron: string | undefined },
  ): Promise<DryRunResult & { readonly timeMs: number | undefined }>;
  installPackages(packages: readonly string[]): Promise<void>;
  /** A requirements file: below the plugin directory, else below the working directory, else an address. */
  installRequirements(location: string): Promise<void>;
}
