import type { DryRuns } from './dry-run.ts';
import type { PluginFiles } from './plugins/plugin-files.ts';
import type { DryRunRequest, PluginFileContent, PluginService } from './processing-service.ts';
import type { PythonPackages } from './python/python-packages.ts';

export interface PluginAdminOptions {
  readonly files: PluginFiles;
  readonly dryRuns: DryRuns;
  readonly packages: PythonPackages;
}

/** What administrators do with plugins besides triggers. */
export class PluginAdmin implements PluginService {
  readonly #options: PluginAdminOptions;

  constructor(options: PluginAdminOptions) {
    this.#options = options;
  }

  upload(name: string, content: string): Promise<void> {
    return this.#options.files.upload(name, content);
  }

  updateFile(trigger: string, database: string | undefined, content: string): Promise<void> {
    return this.#options.files.updateFile(trigger, database, content);
  }

  replaceDirectory(trigger: string, database: string | undefined, files: readonly PluginFileContent[]): Promise<void> {
    return this.#options.files.replaceDirectory(trigger, database, files);
  }

  testWal(request: DryRunRequest & { readonly lines: string }): ReturnType<PluginService['testWal']> {
    return this.#options.dryRuns.wal(request);
  }

  testSchedule(request: DryRunRequest & { readonly cron: string | undefined }): ReturnType<PluginService['testSchedule']> {
    return this.#options.dryRuns.schedule(request);
  }

  installPackages(packages: readonly string[]): Promise<void> {
    return this.#options.packages.install(packages);
  }

  installRequirements(location: string): Promise<void> {
    return this.#options.packages.installRequirements(location);
  }
}
