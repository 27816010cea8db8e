import { serveOptionEntries } from '../config/index.ts';
import { type GroupModel, group } from './command-model.ts';
import { serveCommand } from './commands/serve.ts';

/** Every command of the program (cli spec 1). */
export function rootCommand(): GroupModel {
  return group({
    name: 'influxdb3',
    about: 'InfluxDB 3 Core (TypeScript) Server and Command Line Tools',
    options: serveOptionEntries()
      .map(([, spec]) => spec)
      .filter((spec) => spec.global),
    children: [serveCommand()],
  });
}
