import { applyEnvironmentAliases, EnvFileError, serveOptionEntries, UsageError, withEnvFile } from '../config/index.ts';
import { systemClock } from '../shared/clock.ts';
import { timestamp } from '../shared/logger-format.ts';
import { readProductVersion, versionLine } from '../shared/version.ts';
import { readRequest } from './arguments.ts';
import type { CommandPath } from './command-model.ts';
import { shortHelp } from './help.ts';
import { type CliIo, print, styled, write } from './io.ts';
import { rootCommand } from './root.ts';
import { serveHelp } from './serve-help.ts';
import { topHelp } from './top-help.ts';
import { lastOf } from './usage.ts';

/** Runs one command line; answers with the exit code. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    return await runPrepared(argv, await prepare(io));
  } catch (error) {
    if (error instanceof UsageError) {
      await write(io.stderr, error.render());
      return 2;
    }
    if (error instanceof EnvFileError) {
      await write(io.stderr, `FATAL Error loading config from: ${error.message}\nAborting\n`);
      return 1;
    }
    throw error;
  }
}

/** Loads `.env`, copies legacy names, and prints what must be said about them. */
async function prepare(io: CliIo): Promise<CliIo> {
  const loaded = withEnvFile(io.environment, io.cwd);
  const { environment, warnings } = applyEnvironmentAliases(
    loaded,
    serveOptionEntries().map(([, spec]) => spec),
  );
  for (const { target, text } of warnings) {
    const head = target === undefined ? '' : `${timestamp(systemClock.nowNs())}  WARN ${target}: `;
    await write(io.stderr, `${head}${text}\n`);
  }
  return { ...io, environment };
}

async function runPrepared(argv: readonly string[], io: CliIo): Promise<number> {
  const root = rootCommand();
  const request = readRequest(argv, root);
  switch (request.kind) {
    case 'version':
      await print(io, versionLine(readProductVersion()));
      return 0;
    case 'help':
      await write(io.stdout, helpText(request.path, request.all, io));
      return 0;
    case 'run': {
      const { parseAndRun } = await import('./parser.ts');
      return parseAndRun(root, { argv: request.argv, io, quickStart: request.quickStart });
    }
  }
}

function helpText(path: CommandPath, all: boolean, io: CliIo): string {
  const style = { bold: styled(io, io.stdout), environment: io.environment };
  if (path.length === 1) return topHelp(path[0], style, all);
  const leaf = lastOf(path);
  return leaf.name === 'serve' ? serveHelp(style, all) : shortHelp(path, style);
}
