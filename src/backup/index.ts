export { BACKUP_PATH, BackupError, type BackupProgress, type BackupSource, type OfferedFile, type OfferedMoment } from './contract.ts';
export type { BackupManifest, StoredFile } from './manifest.ts';
export { BackupRepository } from './repository.ts';
export { type RestoreOptions, restoreNode } from './restore.ts';
export { type TakenBackup, takeBackup } from './take-backup.ts';
