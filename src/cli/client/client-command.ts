import { osReason } from '../../config/index.ts';
import type { LeafModel, OptionTable } from '../command-model.ts';
import { write } from '../io.ts';
import { type Call, leaf } from '../leaf.ts';
import { CommandFailure } from './failure.ts';

type Verb =
  | 'Backup'
  | 'Copy'
  | 'Enable'
  | 'Import'
  | 'Restore'
  | 'Create'
  | 'Debug'
  | 'Disable'
  | 'Delete'
  | 'Install'
  | 'Show'
  | 'Test'
  | 'Undelete'
  | 'Update'
  | 'Query'
  | 'Write'
  | 'Telemetry'
  | 'Healthcheck';

/** A client command: failures print `<Verb> command failed: <message>` and a next step, exit 1. */
export function clientCommand<const O extends OptionTable>(verb: Verb, draft: Parameters<typeof leaf<O>>[0]): LeafModel {
  return leaf<O>({
    ...draft,
    run: (call) => reportFailure(verb, call, () => draft.run(call)),
  });
}

async function reportFailure<O extends OptionTable>(
  verb: Verb,
  call: Call<O>,
  work: () => Promise<number | undefined>,
): Promise<number | undefined> {
  try {
    return await work();
  } catch (error) {
    const failure = asFailure(error);
    if (failure === undefined) throw error;
    const hint = failure.hint === undefined ? '' : `  hint: ${failure.hint}\n`;
    await write(call.io.stderr, `${verb} command failed: ${failure.message}\n${hint}`);
    return 1;
  }
}

function asFailure(error: unknown): CommandFailure | undefined {
  if (error instanceof CommandFailure) return error;
  const call = (error as NodeJS.ErrnoException).syscall;
  if (call === undefined || call === 'write') return undefined;
  const path = (error as NodeJS.ErrnoException).path;
  return new CommandFailure(`io error: ${osReason(error)}`, { hint: path === undefined ? undefined : `the file is ${path}`, cause: error });
}
