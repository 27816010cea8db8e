/** A file that never changes once it is there. */
export interface DataFile {
  /** Object path from `<node-id>/` on. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the whole file; undefined = not known. */
  readonly crc32?: number | undefined;
}

/**
 * Parquet files of a node. They are written to and read from a directory, because DuckDB knows only such; the directory is the
 * store itself, or a cache of one. Paths of new and removed files are below the node's directory.
 */
export interface DataFiles {
  /** The path under which a new file is written, which no other process uses. */
  unique(path: string): string;
  /** Makes a file that is complete at its place in the directory part of the store. Durable when it resolves. */
  keep(path: string): Promise<void>;
  /** Makes files readable in the directory until the returned function is called; undefined = they are, as long as they live. */
  hold(files: readonly DataFile[]): Promise<() => void> | undefined;
  /** Deletes a file that is no longer live; a missing one is fine. */
  remove(path: string): Promise<void>;
  /** The same for one whose writing may not have ended. */
  discard(path: string): Promise<void>;
}
