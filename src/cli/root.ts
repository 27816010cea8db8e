import { serveOptionEntries } from '../config/index.ts';
import { type GroupModel, group } from './command-model.ts';
import { backupCommand, restoreCommand } from './commands/backup.ts';
import { completionCommand } from './commands/completion.ts';
import { copyCommand } from './commands/copy.ts';
import { createGroup } from './commands/create.ts';
import { debugGroup } from './commands/debug.ts';
import { deleteGroup } from './commands/delete.ts';
import { healthcheckCommand } from './commands/healthcheck.ts';
import { importCommand } from './commands/import.ts';
import { installGroup } from './commands/install.ts';
import { queryCommand } from './commands/query.ts';
import { serveCommand } from './commands/serve.ts';
import { showGroup } from './commands/show.ts';
import { telemetryGroup } from './commands/telemetry.ts';
import { testGroup } from './commands/test-plugin.ts';
import { undeleteGroup } from './commands/undelete.ts';
import { switchGroup, updateGroup } from './commands/update.ts';
import { writeCommand } from './commands/write.ts';

/** Every command of the program. Models only; what they run is loaded when it runs. */
export function rootCommand(): GroupModel {
  return group({
    name: 'influxdb3',
    about: 'InfluxDB 3 Core (TypeScript) Server and Command Line Tools',
    options: serveOptionEntries()
      .map(([, spec]) => spec)
      .filter((spec) => spec.global),
    children: [
      serveCommand(),
      queryCommand(),
      writeCommand(),
      createGroup(),
      showGroup(),
      updateGroup(),
      deleteGroup(),
      undeleteGroup(),
      switchGroup('enable'),
      switchGroup('disable'),
      testGroup(),
      installGroup(),
      debugGroup(),
      telemetryGroup(),
      importCommand(),
      backupCommand(),
      restoreCommand(),
      copyCommand(),
      healthcheckCommand(),
      completionCommand(rootCommand),
    ],
  });
}
