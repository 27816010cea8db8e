import type { CopyProgress, NodePlace } from '../../node-data/index.ts';
import { clientCommand } from '../client/client-command.ts';
import { formatBytes, ProgressLine, shareText } from '../client/progress.ts';
import { openPlace, openTargetPlace, placeOptions, targetOptions, withNodeDataFailures } from '../client/store-place.ts';
import { flag, type LeafModel } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';

/** Names that are shown. */
const NAMES_SHOWN_MAX = 20;

const ownOptions = {
  takeOver: flag({
    flag: 'take-over',
    help: 'End the server of a source that is a bucket, dead or alive, as another one with its node id would',
  }),
  quiet: flag({ flag: 'quiet', short: 'q', help: 'No progress on standard error' }),
};

/** `copy`: moves the data of a node to another store. */
export function copyCommand(): LeafModel {
  return clientCommand('Copy', {
    name: 'copy',
    about: 'Copy the data of a stopped node between data directories and buckets; what an earlier run copied is not copied again',
    options: { ...placeOptions(), ...targetOptions(), ...ownOptions },
    run: ({ io, typed, values }) =>
      withNodeDataFailures(async () => {
        const source = await openPlace(io, typed);
        try {
          const target = await openTargetPlace(io, typed);
          try {
            return await copy(source, target, io, { quiet: values['quiet'] === true, takeOver: values['takeOver'] === true });
          } finally {
            target.close();
          }
        } finally {
          source.close();
        }
      }),
  });
}

interface CopyChoices {
  readonly quiet: boolean;
  readonly takeOver: boolean;
}

async function copy(source: NodePlace, target: NodePlace, io: CliIo, { quiet, takeOver }: CopyChoices): Promise<number> {
  const { copyNode } = await import('../../node-data/index.ts');
  const line = new ProgressLine(io);
  const onProgress = ({ doneBytes, doneObjects, totalBytes, totalObjects }: CopyProgress): void => {
    if (quiet) return;
    const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
    void line.show((elapsedMs) => {
      const rate = formatBytes(doneBytes / 2 / (Math.max(elapsedMs, 1) / 1000));
      return `  ${doneObjects} of ${totalObjects} objects, ${formatBytes(doneBytes / 2)} of ${formatBytes(totalBytes / 2)} (${rate}/s)${shareText(share, elapsedMs)}`;
    });
  };
  const copied = await copyNode(source, target, { onProgress, takeOver }).finally(() => line.end());
  const { alreadyThere, bytes, leftOut, missing, objects } = copied;
  const before = alreadyThere === 0 ? '' : `, ${alreadyThere} of them by an earlier run`;
  await print(
    io,
    `Copied node ${source.nodeId} from ${source.text} to ${target.text}: ${objects} objects, ${formatBytes(bytes)}${before}; all checksums compared`,
  );
  if (leftOut.length > 0) await printNames(io, `${leftOut.length} objects are none of a node and were left out:`, leftOut);
  if (missing.length > 0)
    await printNames(io, `${missing.length} live Parquet files are missing at the source, their rows are lost:`, missing);
  return missing.length > 0 ? 1 : 0;
}

async function printNames(io: CliIo, title: string, names: readonly string[]): Promise<void> {
  await print(io, title);
  for (const name of names.slice(0, NAMES_SHOWN_MAX)) await print(io, `  ${name}`);
  if (names.length > NAMES_SHOWN_MAX) await print(io, `  and ${names.length - NAMES_SHOWN_MAX} more`);
}
