import { valueTypes } from '../../config/index.ts';
import type { TelemetryChange, TelemetryStatus } from '../../telemetry/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { ApiError, CommandFailure } from '../client/failure.ts';
import { type GroupModel, group, type LeafModel, optional } from '../command-model.ts';
import { write } from '../io.ts';

const views = {
  status: 'Say whether usage data is sent, why, and where to',
  preview: 'Show exactly what the next report would hold',
  log: 'List the reports that were sent, newest first',
  schema: 'Print the JSON Schema of a report',
} as const;

type View = keyof typeof views;

const changes: Readonly<Record<TelemetryChange, string>> = {
  off: 'Collect and send nothing from now on, also after restarts',
  on: 'Take `telemetry off` back; flags and variables that say off still do',
  'reset-id': 'Give the reports new random ids, so that they cannot be joined with those before',
};

/** `telemetry status|preview|log|schema|off|on|reset-id`: what the server knows about its usage reports, and whether it makes them. */
export function telemetryGroup(): GroupModel {
  const children = [...(Object.keys(views) as View[]).map(viewCommand), ...(Object.keys(changes) as TelemetryChange[]).map(changeCommand)];
  return group({ name: 'telemetry', about: 'See what the server reports about its use, and switch it off or on', children });
}

function viewCommand(view: View): LeafModel {
  return clientCommand('Telemetry', {
    name: view,
    about: views[view],
    options: {
      ...connectionOptions,
      format: optional({
        flag: 'format',
        type: valueTypes.oneOf(['text', 'json'] as const),
        help: 'text for people, json for the bytes of the server; a preview that goes to a file or pipe is json unless told otherwise',
      }),
    },
    async run({ values, io }) {
      const { body } = await withClient(values, { io }, (client) =>
        client.fetch({ method: 'GET', path: `/api/v3/telemetry/${view}` }).catch(explainMissing),
      );
      const format = values.format ?? (view === 'preview' && io.stdout.isTTY !== true ? 'json' : 'text');
      if (view === 'preview' && format === 'json') {
        // Byte for byte what would be posted: not even a line end is added.
        await write(io.stdout, body);
        return 0;
      }
      const text = body.toString('utf8');
      if (format === 'json') {
        await write(io.stdout, `${text.trimEnd()}\n`);
        return 0;
      }
      const { formatTelemetryView } = await import('../../telemetry/text.ts');
      await write(io.stdout, formatTelemetryView(view, text));
      return 0;
    },
  });
}

function changeCommand(change: TelemetryChange): LeafModel {
  return clientCommand('Telemetry', {
    name: change,
    about: changes[change],
    options: { ...connectionOptions },
    async run({ values, io }) {
      const { formatTelemetryStatus, TELEMETRY_CHANGES } = await import('../../telemetry/text.ts');
      const { body } = await withClient(values, { io }, (client) =>
        client.fetch({ method: 'POST', path: TELEMETRY_CHANGES[change] }).catch(explainMissing),
      );
      await write(io.stdout, formatTelemetryStatus(JSON.parse(body.toString('utf8')) as TelemetryStatus));
      return 0;
    },
  });
}

/** The server has no such route, or it says why there is nothing to show. */
function explainMissing(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 404) throw error;
  const reason = errorMember(error.body);
  if (reason !== undefined) throw new CommandFailure(reason, { cause: error });
  throw new CommandFailure(error.message, {
    hint: 'this server cannot show its telemetry; it is another product or an older version',
    cause: error,
  });
}

function errorMember(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
