import type { AnyOptionSpec } from '../config/index.ts';
import type { CommandModel, GroupModel } from './command-model.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** What can follow one command path. */
interface Choice {
  /** Words of the path below the program, e.g. `create table`. */
  readonly path: readonly string[];
  readonly commands: readonly CommandModel[];
  readonly options: readonly AnyOptionSpec[];
}

/** A completion script for the shell. Installing it is one line, which the script names at its top. */
export function completionScript(shell: Shell, root: GroupModel): string {
  const choices = choicesBelow(root, []);
  switch (shell) {
    case 'bash':
      return bash(choices);
    case 'zsh':
      return `#compdef influxdb3\n# influxdb3 completion zsh > "\${fpath[1]}/_influxdb3"\nautoload -U +X bashcompinit && bashcompinit\n${bash(choices)}`;
    case 'fish':
      return fish(choices);
  }
}

function choicesBelow(model: CommandModel, path: readonly string[]): Choice[] {
  const options = model.options.filter((spec) => !spec.hidden);
  const commands = model.kind === 'group' ? model.children : [];
  return [{ path, commands, options }, ...commands.flatMap((child) => choicesBelow(child, [...path, child.name]))];
}

function bash(choices: readonly Choice[]): string {
  const cases = choices.map(({ path, commands, options }) => {
    const words = [...commands.map((child) => child.name), ...options.map((spec) => `--${spec.flag}`), '--help'];
    return `    '${path.join(' ')}') words='${words.join(' ')}' ;;`;
  });
  const values = uniqueValues(choices).map(
    ([flag, list]) => `    --${flag}) COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$current")); return ;;`,
  );
  const paths = choices.map(({ path }) => path.join(' ')).filter((path) => path !== '');
  return `# source <(influxdb3 completion bash)
_influxdb3() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' word
  case "$previous" in
${values.join('\n')}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.map((path) => `'${path}'`).join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _influxdb3 influxdb3
`;
}

function fish(choices: readonly Choice[]): string {
  const lines = choices.flatMap(({ path, commands, options }) => {
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const isHere = commands.map((child) => child.name).join(' ');
    const condition = [...seen, ...(isHere === '' ? [] : [`not __fish_seen_subcommand_from ${isHere}`])].join('; and ');
    const when = condition === '' ? '' : ` -n '${condition}'`;
    return [
      ...commands.map((child) => `complete -c influxdb3 -f${when} -a '${child.name}' -d '${fishQuoted(child.about)}'`),
      ...options.map((spec) => `complete -c influxdb3${when} -l ${spec.flag}${valuePart(spec)} -d '${fishQuoted(spec.help)}'`),
    ];
  });
  return `# influxdb3 completion fish > ~/.config/fish/completions/influxdb3.fish\n${lines.join('\n')}\n`;
}

function valuePart(spec: AnyOptionSpec): string {
  if (spec.type.isSwitch) return '';
  const words = spec.type.possibleValues;
  return words === undefined ? ' -r' : ` -x -a '${words.join(' ')}'`;
}

/** Options with a list of words; the first list of a name is used everywhere. */
function uniqueValues(choices: readonly Choice[]): [string, readonly string[]][] {
  const lists = new Map<string, readonly string[]>();
  for (const spec of choices.flatMap(({ options }) => options)) {
    const words = spec.type.possibleValues;
    if (words !== undefined && !spec.type.isSwitch && !lists.has(spec.flag)) lists.set(spec.flag, words);
  }
  return [...lists];
}

function fishQuoted(text: string): string {
  return text.replaceAll("'", "\\'");
}
