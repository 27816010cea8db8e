import type { ValueType } from './value-types.ts';

/** Headings of help, `.env.example` and docs, in this order. */
export const sections = [
  'Node and storage',
  'HTTP and TLS',
  'Authentication',
  'Write-ahead log and snapshots',
  'Memory and query limits',
  'Limits of the catalog',
  'Caches',
  'Retention and deletion',
  'Processing engine',
  'Logging',
  'Usage telemetry',
  'S3-compatible storage',
  'Google and Azure storage',
  'Object-store client tuning',
  'Engine threads',
  'Tests and tooling',
  'Command-line client',
] as const;

export type Section = (typeof sections)[number];

/** `core` acts now; `later` is read and checked, and the start log says that it does nothing yet. */
export type OptionStatus = 'core' | 'later';

/** Whatever must be known about one option; flags, environment, help, `.env.example` and docs derive from it. */
export interface OptionSpec<T, D extends string | undefined> {
  /** Long flag without dashes; undefined = the environment only. */
  readonly flag: string;
  readonly short?: string;
  /** Other long flags with the same meaning, accepted silently. */
  readonly flagAliases?: readonly string[];
  /** Environment name of the 3.10 level. */
  readonly env?: string;
  /** Names that newer documentation teaches. */
  readonly envAliases?: readonly string[];
  readonly type: ValueType<T>;
  /** Name of the value in help and messages; default: the flag in upper snake case. */
  readonly placeholder?: string;
  /** Default as it would be typed; undefined = no default. */
  readonly defaultText: D;
  /** Default in words, for defaults that depend on the machine. */
  readonly defaultNote?: string;
  /** What a flag without a value means, for options whose value may be left out. */
  readonly bareValue?: string;
  /** The switch may be given several times and is counted. */
  readonly counted?: boolean;
  /** One line in our own words. */
  readonly help: string;
  readonly section: Section;
  readonly status: OptionStatus;
  /** Never in help. */
  readonly hidden?: boolean;
  /** Short help (`--help`) shows it; `--help-all` shows everything that is not hidden. */
  readonly common?: boolean;
  /** The environment value is handed on as written and judged elsewhere. */
  readonly rawEnv?: boolean;
  /** Accepted before the sub-command. */
  readonly global?: boolean;
  /** A client command cannot run without it. */
  readonly required?: boolean;
  /** The value must never be shown. */
  readonly secret?: boolean;
}

// The two type parameters of a table entry do not matter to code that walks the table.
export type AnyOptionSpec = OptionSpec<unknown, string | undefined>;

/** Value of an option after resolution: with a default it is always there. */
export type OptionValue<S> = S extends OptionSpec<infer T, infer D> ? (D extends string ? T : T | undefined) : never;

type Draft<T, D extends string | undefined> = Omit<OptionSpec<T, D>, 'status' | 'section' | 'defaultText'> & {
  readonly status?: OptionStatus;
};

/** Makes the entries of one section. */
export function sectionBuilder(section: Section) {
  return {
    /** An option that has no value unless the user gives one. */
    option: <T>(draft: Draft<T, undefined>): OptionSpec<T, undefined> => ({ status: 'core', ...draft, section, defaultText: undefined }),
    /** An option with a default, written as the user would. */
    defaulted: <T>(defaultText: string, draft: Draft<T, string>): OptionSpec<T, string> => ({
      status: 'core',
      ...draft,
      section,
      defaultText,
    }),
  };
}

/** `--node-id <PREFIX>`, as messages print it; switches print bare. */
export function argumentText(spec: Pick<AnyOptionSpec, 'flag' | 'short' | 'placeholder' | 'type' | 'bareValue'>): string {
  if (spec.type.isSwitch) return `--${spec.flag}`;
  const value = placeholderOf(spec);
  if (spec.bareValue !== undefined) return `--${spec.flag} [<${value}>]`;
  return `--${spec.flag} <${value}>${spec.type.isList && spec.placeholder === undefined ? '...' : ''}`;
}

/** Name of the value, e.g. `HTTP_BIND_ADDRESS`. */
export function placeholderOf(spec: Pick<AnyOptionSpec, 'flag' | 'placeholder'>): string {
  return spec.placeholder ?? spec.flag.toUpperCase().replaceAll('-', '_');
}
