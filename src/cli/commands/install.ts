import { UsageError, valueTypes } from '../../config/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { type GroupModel, group, optional } from '../command-model.ts';
import { usageLine } from '../usage.ts';

const unused = (name: string) =>
  optional({ flag: name, type: valueTypes.text, help: 'Accepted for compatibility, not used', hidden: true });

/** `install package`. */
export function installGroup(): GroupModel {
  const packages = clientCommand('Install', {
    name: 'package',
    about: 'Install Python packages for plugins on the server',
    options: {
      ...connectionOptions,
      requirements: optional({ flag: 'requirements', short: 'r', type: valueTypes.text, help: 'Requirements file, a path on the server' }),
      pluginDir: unused('plugin-dir'),
      virtualEnvLocation: unused('virtual-env-location'),
      packageManager: unused('package-manager'),
      pluginRepo: unused('plugin-repo'),
      restrict: unused('restrict-plugin-triggers-to'),
    },
    positionals: [{ name: 'PACKAGES', required: false, variadic: true, help: 'Names of packages' }],
    async run({ values, words, io, path }) {
      if (values.requirements === undefined && words.length === 0) {
        const message = 'the following required arguments were not provided:\n  <--requirements <REQUIREMENTS>|PACKAGES>';
        throw new UsageError(message, { usage: usageLine(path) });
      }
      const base = '/api/v3/configure/plugin_environment';
      await withClient(values, { io }, (client) =>
        values.requirements === undefined
          ? client.fetch({ method: 'POST', path: `${base}/install_packages`, json: { packages: words } })
          : client.fetch({ method: 'POST', path: `${base}/install_requirements`, json: { requirements_location: values.requirements } }),
      );
      return 0;
    },
  });
  return group({ name: 'install', about: 'Install Python packages for plugins', children: [packages] });
}
