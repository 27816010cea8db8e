import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { type Catalog, INTERNAL_DATABASE, type TriggerDefinition, type TriggerSpec } from '../../catalog/index.ts';
import { unreachable } from '../../shared/assert.ts';
import { required } from './catalog-tables.ts';
import { byBytes, type Cell, type SystemTableProvider } from './index.ts';

/** Time in ns, trigger, `INFO` | `WARN` | `ERROR`, text. */
export type PluginLogRow = readonly [timeNs: bigint, trigger: string, level: string, text: string];

/** `system.processing_engine_triggers`. */
export function triggersTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'processing_engine_triggers',
    columns: [
      required('trigger_name', 'string'),
      required('plugin_filename', 'string'),
      required('trigger_specification', 'string'),
      required('disabled', 'boolean'),
      required('error_behavior', 'string'),
    ],
    rows: (database) =>
      triggersOf(catalog, database).map(({ name, pluginFilename, spec, disabled, errorBehavior }) => [
        name,
        pluginFilename,
        triggerSpecText(spec),
        disabled,
        errorBehavior,
      ]),
  };
}

/** JSON text of a trigger's specification. */
function triggerSpecText(spec: TriggerSpec): string {
  switch (spec.kind) {
    case 'all_tables':
      return '"all_tables_wal_write"';
    case 'table':
      return JSON.stringify({ single_table_wal_write: { table_name: spec.table } });
    case 'schedule':
      return JSON.stringify({ schedule: { schedule: spec.cron } });
    case 'every':
      return JSON.stringify({ every: { duration: { secs: spec.secs, nanos: spec.nanos } } });
    case 'request':
      return JSON.stringify({ request_path: { path: spec.path } });
    default:
      return unreachable(spec);
  }
}

/** `system.processing_engine_trigger_arguments`, by key (1.7). */
export function triggerArgumentsTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'processing_engine_trigger_arguments',
    columns: [required('trigger_name', 'string'), required('argument_key', 'string'), required('argument_value', 'string')],
    rows: (database) =>
      triggersOf(catalog, database).flatMap((trigger) =>
        Object.entries(trigger.arguments ?? {})
          .sort(([a], [b]) => byBytes(a, b))
          .map(([key, value]) => [trigger.name, key, value]),
      ),
  };
}

/** `system.processing_engine_logs`: a database shows its own triggers' events, `_internal` all (Y-14). */
export function pluginLogsTable(rowsOf: (database: string | undefined) => readonly PluginLogRow[]): SystemTableProvider {
  return {
    name: 'processing_engine_logs',
    columns: [
      required('event_time', 'time'),
      required('trigger_name', 'string'),
      required('log_level', 'string'),
      required('log_text', 'string'),
    ],
    rows: (database) => rowsOf(database === INTERNAL_DATABASE ? undefined : database),
  };
}

/** Files that one trigger's plugin may have before the rest is left out. */
const FILES_PER_TRIGGER_MAX = 1000;

/** `system.plugin_files`: files of the triggers' plugins on this server's disk (2.5). */
export function pluginFilesTable(catalog: Catalog, pluginDir: string | undefined): SystemTableProvider {
  return {
    name: 'plugin_files',
    onlyIn: INTERNAL_DATABASE,
    columns: [
      required('plugin_name', 'string'),
      required('file_name', 'string'),
      required('file_path', 'string'),
      required('size_bytes', 'integer'),
      required('last_modified', 'integer'),
    ],
    async rows() {
      if (pluginDir === undefined) return [];
      const rows: Cell[][] = [];
      for (const database of catalog.databases()) {
        for (const trigger of catalog.triggers(database)) rows.push(...(await filesOf(trigger, resolve(pluginDir))));
      }
      return rows;
    },
  };
}

async function filesOf({ name, pluginFilename }: TriggerDefinition, pluginDir: string): Promise<Cell[][]> {
  const path = join(pluginDir, pluginFilename);
  const outside = path !== pluginDir && !path.startsWith(pluginDir + sep);
  if (pluginFilename.startsWith('gh:') || outside) return [];
  const found = await stat(path).catch(() => undefined); // a missing file has no row
  if (found === undefined) return [];
  if (!found.isDirectory()) return [fileRow(name, pluginFilename, path, found)];
  const rows: Cell[][] = [];
  for (const file of await sourceFiles(path)) {
    const info = await stat(file).catch(() => undefined); // removed meanwhile
    if (info !== undefined) rows.push(fileRow(name, relative(path, file).split(sep).join('/'), file, info));
  }
  return rows;
}

const SKIPPED_FOLDERS = ['__pycache__', 'node_modules'];

/** Python files, and those of plugins in JavaScript. */
const SOURCE_FILE = /\.(?:py|[cm]?js|[cm]?ts)$/;

async function sourceFiles(directory: string): Promise<string[]> {
  const files: string[] = [];
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined && files.length < FILES_PER_TRIGGER_MAX; next = waiting.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory() && !SKIPPED_FOLDERS.includes(entry.name)) waiting.push(join(next, entry.name));
      else if (entry.isFile() && SOURCE_FILE.test(entry.name)) files.push(join(next, entry.name));
    }
  }
  return files.sort(byBytes).slice(0, FILES_PER_TRIGGER_MAX);
}

function fileRow(trigger: string, name: string, path: string, info: { readonly size: number; readonly mtimeMs: number }): Cell[] {
  return [trigger, name, path, BigInt(info.size), BigInt(Math.floor(info.mtimeMs))];
}

function triggersOf(catalog: Catalog, name: string): TriggerDefinition[] {
  const database = catalog.database(name);
  return database === undefined ? [] : [...catalog.triggers(database)];
}
