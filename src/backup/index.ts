export { backupFailure } from './backup-failure.ts';
export { type BackupFault, type CheckedBackups, checkBackups } from './check-backups.ts';
export { BACKUP_PATH, BackupError, type BackupProgress, type BackupSource, type OfferedFile, type OfferedMoment } from './contract.ts';
export type { BackupManifest, StoredFile } from './manifest.ts';
export { type BackupPlace, bucketBackups, directoryBackups } from './place.ts';
export type { RemovedBackups } from './remove-old.ts';
export { BackupRepository } from './repository.ts';
export { type RestoreOptions, restoreNode } from './restore.ts';
export { type TakenBackup, takeBackup } from './take-backup.ts';
