import { resolve } from 'node:path';
import type { BackupPlace } from '../../backup/index.ts';
import {
  type AnyOptionSpec,
  buildServeConfig,
  checkServeConfig,
  type Environment,
  environmentNames,
  type Occurrence,
  readHostFacts,
  type ServeConfig,
  serveOptionEntries,
} from '../../config/index.ts';
import type { NodePlace } from '../../node-data/index.ts';
import { systemClock } from '../../shared/clock.ts';
import { StartupError } from '../../shared/startup-error.ts';
import type { CliIo } from '../io.ts';
import { CommandFailure } from './failure.ts';

/** Options of the server that say which node, and where its data is. */
const PLACE_FLAGS = ['node-id', 'object-store', 'data-dir', 'bucket'];
const STORE_SECTIONS = ['S3-compatible storage', 'Google and Azure storage', 'Object-store client tuning'];
const TARGET = 'to-';

type Typed = ReadonlyMap<string, readonly Occurrence[]>;

/** The options by which `serve` finds the data of a node; `node-id` must be given. */
export function placeOptions(): Record<string, AnyOptionSpec> {
  return Object.fromEntries(placeSpecs().map((spec) => [spec.flag, spec.flag === 'node-id' ? { ...spec, required: true } : spec]));
}

/** The same for a second place: `--to-bucket` for `--bucket`. What is not given is as at the first place. */
export function targetOptions(): Record<string, AnyOptionSpec> {
  const specs = placeSpecs().filter(({ flag }) => flag !== 'node-id');
  return Object.fromEntries(specs.map((spec) => [TARGET + spec.flag, targetSpec(spec)]));
}

/** Opens the place that options and environment name. Throws `CommandFailure` for one that cannot be used. */
export function openPlace(io: CliIo, typed: Typed): Promise<NodePlace> {
  return open(io, new Map([...typed].filter(([flag]) => !flag.startsWith(TARGET))));
}

/** Opens the second place. */
export function openTargetPlace(io: CliIo, typed: Typed): Promise<NodePlace> {
  const chosen = new Map([...typed].filter(([flag]) => !flag.startsWith(TARGET)));
  const said = new Set<string>();
  for (const spec of placeSpecs()) {
    const given = typed.get(TARGET + spec.flag) ?? fromEnvironment(targetSpec(spec), io.environment);
    if (given === undefined) continue;
    chosen.set(spec.flag, given);
    said.add(spec.flag);
  }
  if (said.size === 0)
    throw new CommandFailure('it is not said where to copy to', { hint: 'give --to-data-dir, or --to-object-store and --to-bucket' });
  if (said.has('data-dir') && !said.has('object-store')) chosen.set('object-store', [{ flag: 'object-store', value: 'file' }]);
  return open(io, chosen);
}

/** The options by which `serve` reaches a bucket, without those that say which one. */
export function bucketOptions(): Record<string, AnyOptionSpec> {
  return Object.fromEntries(storeSpecs().map((spec) => [spec.flag, spec]));
}

/** Opens the place of backups that a word names: a directory, or `s3://<bucket>/<folder>` and its like. Throws `CommandFailure`. */
export async function openBackupPlace(io: CliIo, typed: Typed, word: string): Promise<BackupPlace> {
  const { bucketBackups, directoryBackups } = await import('../../backup/index.ts');
  if (!/^[a-z][a-z0-9+.-]+:\//i.test(word)) return directoryBackups(resolve(io.cwd, word));
  const [, scheme = '', bucket = '', folder = ''] = /^([^:]+):\/\/([^/]*)\/?(.*)$/.exec(word) ?? [];
  const kind = STORE_SCHEMES.get(scheme.toLowerCase());
  const parts = folder.split('/').filter((part) => part !== '');
  if (kind === undefined || bucket === '' || !parts.every((part) => /^[!-~]+$/.test(part) && part !== '.' && part !== '..')) {
    const hint = 'give a directory, or s3://<bucket>/<folder>, azure://<container>/<folder> or gs://<bucket>/<folder>';
    throw new CommandFailure(`backups cannot be kept in '${word}'`, { hint });
  }
  const given = new Map(storeSpecs().flatMap(({ flag }) => (typed.has(flag) ? [[flag, typed.get(flag) ?? []] as const] : [])));
  const said = { 'node-id': 'backups', 'object-store': kind, bucket };
  for (const [flag, value] of Object.entries(said)) given.set(flag, [{ flag, value }]);
  const prefix = parts.map((part) => `${part}/`).join('');
  return withConfig(io, given, async (config) => bucketBackups(await (await bucketOpener(config))(prefix)));
}

/** How people and tools write the kinds of buckets. */
const STORE_SCHEMES: ReadonlyMap<string, string> = new Map([
  ['s3', 's3'],
  ['azure', 'azure'],
  ['az', 'azure'],
  ['google', 'google'],
  ['gs', 'google'],
]);

function open(io: CliIo, commandLine: Typed): Promise<NodePlace> {
  return withConfig(io, commandLine, placeOf);
}

async function withConfig<T>(io: CliIo, commandLine: Typed, use: (config: ServeConfig) => Promise<T>): Promise<T> {
  try {
    return await use(buildServeConfig({ commandLine, environment: io.environment, facts: readHostFacts(), quickStart: false }));
  } catch (error) {
    if (error instanceof StartupError) throw new CommandFailure(error.message, { cause: error });
    throw error;
  }
}

async function placeOf(config: ServeConfig): Promise<NodePlace> {
  const { bucketPlace, directoryPlace } = await import('../../node-data/index.ts');
  const { node, store } = config;
  if (store.kind === 'file') return directoryPlace(node.id, store.dataDir ?? '');
  if (store.kind === 'memory' || store.kind === 'memory-throttled')
    throw new CommandFailure('a store in memory keeps no data', { hint: 'give --object-store and where it is' });
  return bucketPlace(node.id, await bucketOpener(config));
}

type BucketOpener = NonNullable<ReturnType<typeof import('../../bucket/index.ts')['bucketOf']>>;

async function bucketOpener(config: ServeConfig): Promise<BucketOpener> {
  checkServeConfig(config);
  const { bucketOf } = await import('../../bucket/index.ts');
  const opener = bucketOf(config, systemClock);
  if (opener === undefined) throw new CommandFailure(`--object-store ${config.store.kind} is not supported by this build`);
  return opener;
}

function placeSpecs(): AnyOptionSpec[] {
  const specs = serveOptionEntries().map(([, spec]) => spec);
  return [...specs.filter(({ flag }) => PLACE_FLAGS.includes(flag)), ...storeSpecs()];
}

function storeSpecs(): AnyOptionSpec[] {
  return serveOptionEntries()
    .map(([, spec]) => spec)
    .filter(({ flag, section }) => STORE_SECTIONS.includes(section) && !flag.startsWith('file-cache-'));
}

function targetSpec({ envAliases: _, flagAliases: __, ...spec }: AnyOptionSpec): AnyOptionSpec {
  return { ...spec, flag: TARGET + spec.flag, env: targetName(spec.flag), defaultNote: 'as of the source', defaultText: undefined };
}

function targetName(flag: string): string {
  return `INFLUXDB3_TO_${flag.toUpperCase().replaceAll('-', '_')}`;
}

function fromEnvironment(spec: AnyOptionSpec, environment: Environment): readonly Occurrence[] | undefined {
  const name = environmentNames(spec).find((candidate) => environment[candidate] !== undefined);
  return name === undefined ? undefined : [{ flag: spec.flag, value: environment[name] }];
}

/** The same result; problems of the data as failures of the command. */
export async function withNodeDataFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { NodeDataError } = await import('../../node-data/index.ts');
    if (error instanceof StartupError) throw new CommandFailure(error.message, { cause: error });
    if (!(error instanceof NodeDataError)) throw error;
    throw new CommandFailure(error.message, { hint: error.hint, cause: error });
  }
}
