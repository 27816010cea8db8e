import type { AnyOptionSpec } from './option-spec.ts';
import { type Environment, environmentNames } from './resolve-options.ts';

/** The environment after aliases were applied, and what the user should hear about it. */
export interface AliasedEnvironment {
  readonly environment: Environment;
  /** Log target and text; printed before logging is up. `target` undefined = a bare line. */
  readonly warnings: readonly { readonly target: string | undefined; readonly text: string }[];
}

const target = 'influxdb3::env_compat';

/** OLD is read as `INFLUXDB3_` + OLD. */
export const legacyNames: readonly string[] = [
  ...[
    'CONNECTION_LIMIT',
    'HTTP2_ONLY',
    'HTTP2_MAX_FRAME_SIZE',
    'REQUEST_TIMEOUT',
    'MAX_RETRIES',
    'RETRY_TIMEOUT',
    'CACHE_ENDPOINT',
    'TLS_ALLOW_INSECURE',
    'TLS_CA',
  ].map((name) => `OBJECT_STORE_${name}`),
  'LOG_FILTER',
  'LOG_DESTINATION',
  'LOG_FORMAT',
  'TRACES_EXPORTER',
  ...['AGENT_HOST', 'AGENT_PORT', 'SERVICE_NAME', 'TRACE_CONTEXT_HEADER_NAME', 'DEBUG_NAME', 'TAGS'].map(
    (name) => `TRACES_EXPORTER_JAEGER_${name}`,
  ),
  'TRACES_JAEGER_MAX_MSGS_PER_SECOND',
];

const threadNames: readonly (readonly [old: string, canonical: string])[] = [
  ['INFLUXDB3_NUM_THREADS', 'INFLUXDB3_NUM_IO_THREADS'],
  ['INFLUXDB3_DATAFUSION_NUM_THREADS', 'INFLUXDB3_NUM_DATAFUSION_THREADS'],
];

const removedName = 'INFLUXDB3_PARQUET_MEM_CACHE_SIZE_MB';

/** Copies old names onto the canonical ones where those are unset, and judges newer names. Pure. */
export function applyEnvironmentAliases(environment: Environment, specs: Iterable<AnyOptionSpec>): AliasedEnvironment {
  const result: Record<string, string | undefined> = { ...environment };
  const warnings: { target: string | undefined; text: string }[] = [];
  for (const old of legacyNames) {
    const canonical = `INFLUXDB3_${old}`;
    if (result[old] === undefined) continue;
    const both = result[canonical] !== undefined;
    if (!both) result[canonical] = result[old];
    const text = both
      ? `both ${old} and ${canonical} are set; using ${canonical}, as ${old} is deprecated`
      : `environment variable ${old} is deprecated, use ${canonical} instead`;
    warnings.push({ target, text });
  }
  for (const [old, canonical] of threadNames) {
    if (result[old] === undefined || result[canonical] !== undefined) continue;
    result[canonical] = result[old];
    warnings.push({ target: undefined, text: `WARN: Use of deprecated environment variable ${old}: replace with ${canonical}` });
  }
  warnings.push(...doubledNames(result, specs));
  return { environment: Object.freeze(result), warnings };
}

/** WARN text for a variable that no longer exists, or undefined. */
export function removedVariableWarning(environment: Environment): string | undefined {
  if (environment[removedName] === undefined) return undefined;
  return `detected deprecated/removed env var ${removedName}, use INFLUXDB3_PARQUET_MEM_CACHE_SIZE instead, it is in MB or %`;
}

function doubledNames(environment: Environment, specs: Iterable<AnyOptionSpec>): { target: string; text: string }[] {
  const warnings: { target: string; text: string }[] = [];
  for (const spec of specs) {
    if (spec.rawEnv) continue;
    const [used, ...others] = environmentNames(spec).filter((name) => environment[name] !== undefined);
    const ignored = others.filter((name) => used !== undefined && environment[name] !== environment[used]);
    for (const name of ignored) warnings.push({ target, text: `both ${name} and ${used} are set; using ${used}` });
  }
  return warnings;
}
