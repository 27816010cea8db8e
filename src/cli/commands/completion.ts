import type { GroupModel, LeafModel } from '../command-model.ts';
import { completionScript, type Shell } from '../completion-script.ts';
import { write } from '../io.ts';

const shells: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** `completion bash|zsh|fish`: prints a script for the shell, made from the command models. */
export function completionCommand(root: () => GroupModel): GroupModel {
  const children = shells.map(
    (shell): LeafModel => ({
      kind: 'leaf',
      name: shell,
      aliases: [],
      about: `Print the completion script for ${shell}`,
      options: [],
      positionals: [],
      optionsFirst: false,
      async run(call) {
        await write(call.io.stdout, completionScript(shell, root()));
        return 0;
      },
    }),
  );
  return { kind: 'group', name: 'completion', aliases: [], about: 'Print a completion script for a shell', options: [], children };
}
