import { type AnyOptionSpec, type OptionValue, sections } from './option-spec.ts';
import { loggingOptions } from './options-logging.ts';
import { cacheOptions, memoryOptions, processingOptions, retentionOptions } from './options-runtime.ts';
import { authOptions, httpOptions, limitOptions, storageOptions, walOptions } from './options-serve.ts';
import { cloudOptions, runtimeOptions, s3Options, storeClientOptions, threadOptions } from './options-store-clients.ts';
import { telemetryOptions, toolingOptions } from './options-telemetry.ts';

/** Every option of the server, in the order of help, `.env.example` and docs. */
export const serveOptions = {
  ...storageOptions,
  ...httpOptions,
  ...authOptions,
  ...walOptions,
  ...memoryOptions,
  ...limitOptions,
  ...cacheOptions,
  ...retentionOptions,
  ...processingOptions,
  ...loggingOptions,
  ...telemetryOptions,
  ...s3Options,
  ...cloudOptions,
  ...storeClientOptions,
  ...threadOptions,
  ...toolingOptions,
};

export type ServeOptions = typeof serveOptions;
export type ServeOptionName = keyof ServeOptions;
export type ServeValues = { readonly [N in ServeOptionName]: OptionValue<ServeOptions[N]> };

/** The whole table as a list of name and entry, with the thread settings that nothing reads. */
export function serveOptionEntries(): [string, AnyOptionSpec][] {
  const all: [string, AnyOptionSpec][] = [
    ...(Object.entries(serveOptions) as [string, AnyOptionSpec][]),
    ...Object.entries(runtimeOptions),
  ];
  return all.sort(([, a], [, b]) => sections.indexOf(a.section) - sections.indexOf(b.section));
}
