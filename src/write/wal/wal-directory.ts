import { join } from 'node:path';
import type { WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { type FileSystem, keepAside, moveAside, removeTemporaryFiles, unlinkIfPresent } from '../../storage/index.ts';
import { type ListedWal, listedWal, WalArchive, walFileName } from './wal-archive.ts';

/** The `wal/` directory of a node. */
export class WalDirectory extends WalArchive {
  readonly path: string;
  readonly #fs: FileSystem;

  constructor(fs: FileSystem, root: string, log: Log) {
    super(log);
    this.#fs = fs;
    this.path = join(root, 'wal');
  }

  locate(fileNumber: WalFileNumber): string {
    return join(this.path, walFileName(fileNumber));
  }

  /** Creates the directory if needed. */
  async list(): Promise<ListedWal> {
    await this.#fs.mkdir(this.path);
    await this.#fs.syncDirectory(join(this.path, '..'));
    await removeTemporaryFiles(this.#fs, this.path);
    const listed = listedWal(await this.#fs.readdir(this.path));
    for (const number of listed.numbers) this.note(number, await this.#fs.size(this.locate(number)));
    return listed;
  }

  read(fileNumber: WalFileNumber): Promise<Uint8Array> {
    return this.#fs.readFile(this.locate(fileNumber));
  }

  setAside(fileNumber: WalFileNumber): Promise<string> {
    return moveAside(this.#fs, this.locate(fileNumber));
  }

  async cutOff(fileNumber: WalFileNumber, bytes: Uint8Array, validBytes: number): Promise<void> {
    const path = this.locate(fileNumber);
    await keepAside(this.#fs, path, bytes.subarray(validBytes));
    const file = await this.#fs.open(path, 'existing');
    try {
      await file.truncate(validBytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async removeUnused(fileNumber: WalFileNumber): Promise<void> {
    await this.remove([fileNumber]);
    this.forget(fileNumber);
  }

  protected async remove(fileNumbers: readonly WalFileNumber[]): Promise<void> {
    for (const fileNumber of fileNumbers) await unlinkIfPresent(this.#fs, this.locate(fileNumber));
  }
}
