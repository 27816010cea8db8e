import { clientCommand } from '../client/client-command.ts';
import { CommandFailure } from '../client/failure.ts';
import { type GroupModel, group } from '../command-model.ts';
import { debugObjectsCommand } from './debug-objects.ts';

/** `debug objects`, and `debug catalog ...`, which is not there and says what to use instead. */
export function debugGroup(): GroupModel {
  const catalog = clientCommand('Debug', {
    name: 'catalog',
    about: 'Read catalog files offline (not available: says what to use instead)',
    options: {},
    positionals: [{ name: 'ARGS', required: false, variadic: true, help: 'Accepted and refused with the others' }],
    run() {
      throw new CommandFailure('reading catalog files offline is not available in this server', {
        hint: "a running server shows the same with 'influxdb3 show databases' and 'influxdb3 show system', the files are described in docs/data-format.md",
      });
    },
  });
  return group({ name: 'debug', about: 'Look into what a server has stored', children: [debugObjectsCommand(), catalog] });
}
