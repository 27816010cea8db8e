export { buildServeConfig, type ServeInputs } from './build-serve-config.ts';
export { checkServeConfig, osReason } from './check-config.ts';
export { withEnvFile } from './env-file.ts';
export { EnvFileError } from './env-file-parser.ts';
export { type AliasedEnvironment, applyEnvironmentAliases } from './environment-aliases.ts';
export { type HostFacts, readHostFacts } from './host-facts.ts';
export { type AnyOptionSpec, argumentText, type OptionSpec, placeholderOf, type Section, sections } from './option-spec.ts';
export { serveOptionEntries, serveOptions } from './options.ts';
export type { StoreKind } from './options-serve.ts';

export { type Environment, environmentNames, type Occurrence, resolveOption } from './resolve-options.ts';
export { Secret } from './secret.ts';
export type * from './serve-config.ts';
export type { SocketAddress } from './server-value-types.ts';
export { nearest, nearestOf } from './suggest.ts';
export { UsageError, ValueError } from './usage-error.ts';
export type { ValueFacts, ValueType } from './value-types.ts';
export * as valueTypes from './value-types.ts';
