import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BackupManifest, BackupProgress, BackupRepository, BackupSource, OfferedMoment } from '../../backup/index.ts';
import { valueTypes } from '../../config/index.ts';
import type { ApiClient } from '../client/api-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { CommandFailure } from '../client/failure.ts';
import { formatBytes, ProgressLine, shareText } from '../client/progress.ts';
import { flag, type LeafModel, optional, required } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';

const directoryWord = { name: 'DIRECTORY', required: true, help: 'Directory of backups' } as const;

/** `backup <dir>`: copies what a running server holds at one moment. */
export function backupCommand(): LeafModel {
  return clientCommand('Backup', {
    name: 'backup',
    about: 'Back a running server up into a directory; what an earlier backup there has is not copied again',
    options: {
      ...connectionOptions,
      keep: optional({
        flag: 'keep',
        type: valueTypes.positiveInteger,
        help: 'Backups to keep; older ones are removed when this one is complete',
      }),
      list: flag({ flag: 'list', help: 'Only list the backups of the directory' }),
      check: flag({ flag: 'check', help: 'Only read all backups of the directory, and compare them with their checksums' }),
      quiet: flag({ flag: 'quiet', short: 'q', help: 'No progress on standard error' }),
    },
    positionals: [directoryWord],
    run: ({ values, words: [word = ''], io }) =>
      withBackupFailures(async () => {
        const repository = await openRepository(word, io);
        if (values.list) return listBackups(repository, io);
        if (values.check) return checkBackups(repository, io, values.quiet);
        const { takeBackup } = await import('../../backup/index.ts');
        const taken = await withProgress(io, values.quiet, (onProgress) =>
          withClient(values, { io }, (client) => takeBackup(apiSource(client), repository, onProgress)),
        );
        const { manifest, copiedBytes, copiedFiles } = taken;
        const total = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        await print(
          io,
          `Backup ${manifest.name} of node ${manifest.nodeId} complete: ${manifest.files.length} files, ${formatBytes(total)}; copied ${copiedFiles} files, ${formatBytes(copiedBytes)}`,
        );
        if (values.keep !== undefined) await removeOld(repository, values.keep, io);
        return 0;
      }),
  });
}

/** `restore <dir>`: makes the directory of a node from a backup. */
export function restoreCommand(): LeafModel {
  return clientCommand('Restore', {
    name: 'restore',
    about: 'Make the data of a node from a backup, for a server that is started on it afterwards',
    options: {
      nodeId: required({
        flag: 'node-id',
        env: 'INFLUXDB3_NODE_IDENTIFIER_PREFIX',
        type: valueTypes.text,
        help: 'Node that gets the data; it has none yet',
      }),
      dataDir: required({ flag: 'data-dir', env: 'INFLUXDB3_DB_DIR', type: valueTypes.path, help: 'Data directory of that node' }),
      backup: optional({ flag: 'backup', placeholder: 'NAME', type: valueTypes.text, help: 'Name of the backup; without it the newest' }),
      database: optional({ flag: 'database', short: 'd', type: valueTypes.listOf(valueTypes.text), help: 'Only these databases' }),
      quiet: flag({ flag: 'quiet', short: 'q', help: 'No progress on standard error' }),
    },
    positionals: [directoryWord],
    run: ({ values, words: [word = ''], io }) =>
      withBackupFailures(async () => {
        if (values.nodeId === '' || values.nodeId.startsWith('.'))
          throw new CommandFailure('a node id cannot be empty or start with a dot');
        const repository = await openRepository(word, io);
        const manifest = await repository.manifest(values.backup);
        const dataDir = resolve(io.cwd, values.dataDir);
        await mkdir(dataDir, { recursive: true });
        const { restoreNode } = await import('../../backup/index.ts');
        const target = await withProgress(io, values.quiet, (onProgress) =>
          restoreNode(repository, manifest, { dataDir, nodeId: values.nodeId, databases: values.database, onProgress }),
        );
        const what = values.database === undefined ? `${manifest.databases.length} databases` : values.database.join(', ');
        await print(io, `Restored ${what} of backup ${manifest.name} to ${target}`);
        await print(io, `Start it with: influxdb3 serve --data-dir ${values.dataDir} --node-id ${values.nodeId}`);
        return 0;
      }),
  });
}

async function openRepository(word: string, io: CliIo): Promise<BackupRepository> {
  if (/^[a-z0-9]+:\/\//i.test(word)) {
    throw new CommandFailure(`backups go to directories only, not to ${word}`, {
      hint: 'back up to a directory and copy it with the tool of the bucket; its files never change once they are there',
    });
  }
  const module = await import('../../backup/index.ts');
  return new module.BackupRepository(resolve(io.cwd, word));
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
    async release({ id }) {
      await client.fetch({ method: 'DELETE', path: `${path}/${id}` });
    },
  };
}

async function listBackups(repository: BackupRepository, io: CliIo): Promise<number> {
  for (const name of await repository.names()) await print(io, summary(await repository.manifest(name)));
  return 0;
}

function summary({ name, nodeId, databases, files, serverVersion }: BackupManifest): string {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${name}  node ${nodeId}  ${files.length} files  ${formatBytes(bytes)}  version ${serverVersion}  databases ${databases.join(', ') || 'none'}`;
}

async function checkBackups(repository: BackupRepository, io: CliIo, quiet: boolean): Promise<number> {
  const seen = new Set<string>();
  const names = await repository.names();
  const manifests = await Promise.all(names.map((name) => repository.manifest(name)));
  const files = manifests.flatMap((manifest) => manifest.files).filter(({ sha256 }) => !seen.has(sha256) && seen.add(sha256));
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await withProgress(io, quiet, async (onProgress) => {
    let doneBytes = 0;
    for (const [doneFiles, file] of files.entries()) {
      for await (const chunk of repository.read(file)) {
        doneBytes += chunk.length;
        onProgress({ doneBytes, totalBytes, doneFiles, totalFiles: files.length });
      }
    }
  });
  await print(io, `${names.length} backups are whole: ${files.length} different files, ${formatBytes(totalBytes)}`);
  return 0;
}

async function removeOld(repository: BackupRepository, keep: number, io: CliIo): Promise<void> {
  const lock = await repository.lock();
  try {
    const removed = await repository.keepNewest(keep);
    if (removed.length > 0) await print(io, `Removed ${removed.join(', ')}`);
  } finally {
    await lock.release();
  }
}

/** Shows progress while the work goes on. */
async function withProgress<T>(
  io: CliIo,
  quiet: boolean,
  work: (onProgress: (progress: BackupProgress) => void) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine(io);
  const onProgress = ({ doneBytes, doneFiles, totalBytes, totalFiles }: BackupProgress): void => {
    if (quiet) return;
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

async function withBackupFailures(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const { BackupError } = await import('../../backup/index.ts');
    if (!(error instanceof BackupError)) throw error;
    throw new CommandFailure(error.message, { hint: error.hint, cause: error });
  }
}
