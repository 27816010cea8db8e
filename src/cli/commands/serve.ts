import { serveOptionEntries } from '../../config/index.ts';
import type { LeafModel } from '../command-model.ts';

/** `serve`, and bare `influxdb3`. Everything heavy is loaded when it runs. */
export function serveCommand(): LeafModel {
  return {
    kind: 'leaf',
    name: 'serve',
    aliases: [],
    about: 'Run the server',
    options: serveOptionEntries()
      .map(([, spec]) => spec)
      .filter((spec) => !spec.global),
    positionals: [],
    optionsFirst: false,
    async run(call) {
      const { runServe } = await import('../serve/run-serve.ts');
      return runServe(call);
    },
  };
}
