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

async function open(io: CliIo, commandLine: Typed): Promise<NodePlace> {
  try {
    const config = buildServeConfig({ commandLine, environment: io.environment, facts: readHostFacts(), quickStart: false });
    return await placeOf(config);
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
  checkServeConfig(config);
  const { bucketOf } = (await import('../../app/index.ts')) as typeof import('../../app/index.ts');
  const opened = bucketOf(config, systemClock);
  if (opened === undefined) throw new CommandFailure(`--object-store ${store.kind} is not supported by this build`);
  return bucketPlace(node.id, opened);
}

function placeSpecs(): AnyOptionSpec[] {
  return serveOptionEntries()
    .map(([, spec]) => spec)
    .filter(({ flag, section }) => PLACE_FLAGS.includes(flag) || (STORE_SECTIONS.includes(section) && !flag.startsWith('file-cache-')));
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
