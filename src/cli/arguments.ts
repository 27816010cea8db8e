import type { CommandModel, CommandPath, GroupModel } from './command-model.ts';

/** What the arguments ask for, before they are parsed. */
export type Request =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly path: CommandPath; readonly all: boolean }
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly quickStart: boolean };

/** Looks for help and version, and completes a start without a command. */
export function readRequest(argv: readonly string[], root: GroupModel): Request {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const first = firstCommandIndex(argv, root);
  const help = words.includes('-h') || words.includes('--help');
  if (help || words.includes('--help-all')) return { kind: 'help', path: commandPath(words.slice(Math.max(first, 0)), root), all: !help };
  const top = first === -1 ? argv : argv.slice(0, first);
  if (top.includes('-V') || top.includes('--version')) return { kind: 'version' };
  if (first === -1) return { kind: 'run', argv: quickStart(argv, root), quickStart: true };
  return { kind: 'run', argv, quickStart: false };
}

/** Position of the command, or -1 when only options were given. An unknown word counts as a command. */
function firstCommandIndex(argv: readonly string[], root: GroupModel): number {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (!word.startsWith('-')) return index;
    const spec = root.options.find((option) => [option.flag, ...(option.flagAliases ?? [])].some((flag) => `--${flag}` === word));
    if (spec !== undefined && !spec.type.isSwitch) {
      index += 1;
      continue;
    }
    const isTop = spec !== undefined || root.options.some((option) => word.startsWith(`--${option.flag}=`)) || isHelpOrVersion(word);
    if (!isTop) return -1;
  }
  return -1;
}

/** Bare options are options of `serve`; those of the program itself stay in front. */
function quickStart(argv: readonly string[], root: GroupModel): string[] {
  const front: string[] = [];
  let index = 0;
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const spec = root.options.find((option) => word === `--${option.flag}` || word.startsWith(`--${option.flag}=`));
    if (spec === undefined) break;
    front.push(word);
    if (word.includes('=') || spec.type.isSwitch) continue;
    index += 1;
    const value = argv[index];
    if (value !== undefined) front.push(value);
  }
  return [...front, 'serve', ...argv.slice(index)];
}

/** The deepest command that the words name. */
function commandPath(words: readonly string[], root: GroupModel): CommandPath {
  const path: [GroupModel, ...CommandModel[]] = [root];
  for (const word of words) {
    const current = path[path.length - 1];
    if (current?.kind !== 'group') break;
    const child = current.children.find((model) => model.name === word || model.aliases.includes(word));
    if (child !== undefined) path.push(child);
  }
  return path;
}

function isHelpOrVersion(word: string): boolean {
  return ['-h', '--help', '--help-all', '-V', '--version'].includes(word);
}
