import {
  buildServeConfig,
  type Environment,
  type HostFacts,
  type Occurrence,
  type ServeConfig,
  serveOptionEntries,
} from '../../../src/config/index.ts';

export const facts: HostFacts = {
  hostname: 'box',
  homeDir: '/home/ann',
  cwd: '/work-dir',
  cpuCount: 4,
  memoryTotalBytes: 8 * 1024 ** 3,
};

/** Configuration from `{ flag: value }` (true = switch) and an environment. */
export function configOf(
  flags: Readonly<Record<string, string | true | readonly string[]>> = {},
  environment: Environment = {},
  options: { quickStart?: boolean; facts?: Partial<HostFacts> } = {},
): ServeConfig {
  const commandLine = new Map<string, Occurrence[]>();
  for (const [flag, value] of Object.entries(flags)) {
    const spec = serveOptionEntries().find(([, entry]) => entry.flag === flag || entry.flagAliases?.includes(flag));
    if (spec === undefined) throw new Error(`no option --${flag}`);
    const values = Array.isArray(value) ? (value as string[]) : [value === true ? undefined : (value as string)];
    commandLine.set(
      spec[1].flag,
      values.map((text) => ({ flag, value: text })),
    );
  }
  return buildServeConfig({ commandLine, environment, facts: { ...facts, ...options.facts }, quickStart: options.quickStart ?? false });
}
