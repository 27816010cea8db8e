import { resolve } from 'node:path';
import type { BackupManifest, BackupPlace, BackupProgress, BackupSource, OfferedMoment, TakenBackup } from '../../backup/index.ts';
import { valueTypes } from '../../config/index.ts';
import { StartupError } from '../../shared/startup-error.ts';
import type { ApiClient } from '../client/api-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { formatBytes, ProgressLine, shareText } from '../client/progress.ts';
import { bucketOptions, openBackupPlace } from '../client/store-place.ts';
import { flag, type LeafModel, optional, required } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';
import type { Call } from '../leaf.ts';

const placeWord = {
  name: 'PLACE',
  required: true,
  help: 'Directory of the backups, or s3://<bucket>/<folder>, azure://<container>/<folder>, gs://<bucket>/<folder>',
} as const;

const quiet = flag({ flag: 'quiet', short: 'q', help: 'No progress on standard error' });

const backupOptions = {
  ...connectionOptions,
  keep: optional({
    flag: 'keep',
    type: valueTypes.positiveInteger,
    help: 'Backups of this node to keep; older ones are removed when this one is complete',
  }),
  list: flag({ flag: 'list', help: 'Only list the backups that are there' }),
  check: flag({ flag: 'check', help: 'Only read all backups that are there, and compare them with their checksums' }),
  quiet,
} as const;

const restoreOptions = {
  nodeId: required({
    flag: 'node-id',
    env: 'INFLUXDB3_NODE_IDENTIFIER_PREFIX',
    type: valueTypes.text,
    help: 'Node that gets the data; it has none yet',
  }),
  dataDir: required({ flag: 'data-dir', env: 'INFLUXDB3_DB_DIR', type: valueTypes.path, help: 'Data directory of that node' }),
  backup: optional({ flag: 'backup', placeholder: 'NAME', type: valueTypes.text, help: 'Name of the backup; without it the newest' }),
  database: optional({ flag: 'database', short: 'd', type: valueTypes.listOf(valueTypes.text), help: 'Only these databases' }),
  quiet,
} as const;

/** `backup <place>`: copies what a running server holds at one moment. */
export function backupCommand(): LeafModel {
  return clientCommand('Backup', {
    name: 'backup',
    about: 'Back a running server up into a directory or a bucket; what an earlier backup there has is not copied again',
    options: { ...backupOptions, ...bucketOptions() },
    positionals: [placeWord],
    run: ({ values: all, words: [word = ''], io, typed }) => {
      const values = all as unknown as Call<typeof backupOptions>['values'];
      return withPlace(io, typed, word, async (place) => {
        if (values.list) return listBackups(place, io);
        if (values.check) return checkPlace(place, io, values.quiet);
        const { takeBackup } = await import('../../backup/index.ts');
        const taken = await withProgress(io, values.quiet, (onProgress) =>
          withClient(values, { io }, (client) => takeBackup(apiSource(client), place, { keep: values.keep, onProgress })),
        );
        return printTaken(taken, io);
      });
    },
  });
}

/** `restore <place>`: makes the directory of a node from a backup. */
export function restoreCommand(): LeafModel {
  return clientCommand('Restore', {
    name: 'restore',
    about: 'Make the data of a node from a backup, for a server that is started on it afterwards',
    options: { ...restoreOptions, ...bucketOptions() },
    positionals: [placeWord],
    run: ({ values: all, words: [word = ''], io, typed }) => {
      const values = all as unknown as Call<typeof restoreOptions>['values'];
      if (values.nodeId === '' || values.nodeId.startsWith('.')) throw new CommandFailure('a node id cannot be empty or start with a dot');
      return withPlace(io, typed, word, async (place) => {
        const { BackupRepository, restoreNode } = await import('../../backup/index.ts');
        const repository = new BackupRepository(place);
        const manifest = await repository.manifest(values.backup);
        const dataDir = resolve(io.cwd, values.dataDir);
        const target = await withProgress(io, values.quiet, (onProgress) =>
          restoreNode(repository, manifest, { dataDir, nodeId: values.nodeId, databases: values.database, onProgress }),
        );
        const what = values.database === undefined ? counted(manifest.databases.length, 'database') : values.database.join(', ');
        await print(io, `Restored ${what} of backup ${manifest.name} of node ${manifest.nodeId} to ${target}`);
        await print(io, `Start it with: influxdb3 serve --data-dir ${quoted(values.dataDir)} --node-id ${quoted(values.nodeId)}`);
        return 0;
      });
    },
  });
}

/** A server over its API. */
function apiSource(client: ApiClient): BackupSource {
  const path = '/api/v3/backup';
  return {
    async begin() {
      const { body } = await client.fetch({ method: 'POST', path });
      return JSON.parse(body.toString('utf8')) as OfferedMoment;
    },
    async read({ id }, file) {
      const answer = await client.send({ method: 'GET', path: `${path}/${id}`, query: { path: file } });
      return answer.body;
    },
    async touch({ files, id }) {
      const [smallest] = files.toSorted((a, b) => a.sizeBytes - b.sizeBytes);
      await client.fetch({ method: 'GET', path: `${path}/${id}`, query: { path: smallest?.path ?? '' } });
    },
    async release({ id }) {
      await client.fetch({ method: 'DELETE', path: `${path}/${id}` });
    },
  };
}

async function printTaken({ copiedBytes, copiedFiles, manifest, removed }: TakenBackup, io: CliIo): Promise<number> {
  const { files, name, nodeId } = manifest;
  const copied = `copied ${counted(copiedFiles, 'file')}, ${formatBytes(copiedBytes)}`;
  await print(io, `Backup ${name} of node ${nodeId} complete: ${counted(files.length, 'file')}, ${formatBytes(bytesOf(files))}; ${copied}`);
  if (removed === undefined) return 0;
  if (removed instanceof Error) {
    throw new CommandFailure(`the backup is complete, but no older one was removed: ${removed.message}`, {
      hint: removed.hint,
      cause: removed,
    });
  }
  const { bytes, names, waitsFor } = removed;
  const freed = removed.files === 0 ? '' : `${counted(removed.files, 'file')}, ${formatBytes(bytes)} that no backup has`;
  const gone = [...(names.length === 0 ? [] : [names.join(', ')]), ...(freed === '' ? [] : [freed])];
  if (gone.length > 0) await print(io, `Removed ${gone.join('; ')}`);
  if (waitsFor.length > 0) {
    const reason = `${waitsFor.join(', ')} is being taken, or was interrupted in the last 5 minutes`;
    await print(io, `Files that no backup has stay until the next time: backup ${reason}`);
  }
  return 0;
}

async function listBackups(place: BackupPlace, io: CliIo): Promise<number> {
  const { BackupRepository } = await import('../../backup/index.ts');
  for (const manifest of await new BackupRepository(place).manifests()) await print(io, summary(manifest));
  return 0;
}

function summary({ name, nodeId, databases, files, serverVersion }: BackupManifest): string {
  return `${name}  node ${nodeId}  ${counted(files.length, 'file')}  ${formatBytes(bytesOf(files))}  version ${serverVersion}  databases ${databases.join(', ') || 'none'}`;
}

async function checkPlace(place: BackupPlace, io: CliIo, isQuiet: boolean): Promise<number> {
  const { checkBackups } = await import('../../backup/index.ts');
  const { backups, bytes, faults, files } = await withProgress(io, isQuiet, (onProgress) => checkBackups(place, onProgress));
  for (const fault of faults) await print(io, `${fault.text}; needed by ${fault.backups.join(', ')}`);
  const what = `${counted(files, 'different file')}, ${formatBytes(bytes)}`;
  if (faults.length === 0) {
    await print(io, `${counted(backups, 'backup')} ${backups === 1 ? 'is' : 'are'} whole: ${what}`);
    return 0;
  }
  throw new CommandFailure(`${faults.length} of ${what} are damaged or missing`, {
    hint: 'remove the damaged ones and take a backup: it copies again what the server still has',
  });
}

function bytesOf(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A word as a shell wants it. */
function quoted(word: string): string {
  return /^[\w./:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Shows progress while the work goes on. */
async function withProgress<T>(
  io: CliIo,
  isQuiet: boolean,
  work: (onProgress: (progress: BackupProgress) => void) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine(io);
  const onProgress = ({ doneBytes, doneFiles, totalBytes, totalFiles }: BackupProgress): void => {
    if (isQuiet) return;
    const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
    void line.show(
      (elapsedMs) =>
        `  ${doneFiles} of ${totalFiles} files, ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} (${formatBytes(doneBytes / (Math.max(elapsedMs, 1) / 1000))}/s)${shareText(share, elapsedMs)}`,
    );
  };
  try {
    return await work(onProgress);
  } finally {
    await line.end();
  }
}

/** Opens the place of the backups for some work; its problems are failures of the command. */
async function withPlace(
  io: CliIo,
  typed: Call<never>['typed'],
  word: string,
  work: (place: BackupPlace) => Promise<number>,
): Promise<number> {
  const { BackupError, backupFailure } = await import('../../backup/index.ts');
  const place = await openBackupPlace(io, typed, word);
  try {
    return await work(place);
  } catch (error) {
    const failure = backupFailure(place, error);
    if (failure instanceof BackupError) throw new CommandFailure(failure.message, { hint: failure.hint, cause: error });
    if (failure instanceof StartupError) throw new CommandFailure(failure.message, { cause: error });
    throw failure;
  } finally {
    await place.close();
  }
}
