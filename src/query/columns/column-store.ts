import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import type { TableSection } from '../../write/batch/index.ts';
import type { GenerationMoment, GenerationSource, ReadableGeneration } from '../../write/buffer/index.ts';
import type { SeriesIndex } from '../../write/series/index.ts';
import type { StoredFile, TableReader } from '../scan/sources.ts';
import { isNumberType, type NumberType } from './field-column.ts';
import { BufferSegment, type FileSegment } from './segment.ts';
import type { SegmentLoader } from './segment-loader.ts';
import { SERIES_MAX, TableTags } from './table-tags.ts';

/** A number field of the catalog. */
export type NumberColumn = ColumnSchema & { readonly type: NumberType };

/** What a query needs in memory. */
export interface SegmentRequest {
  readonly table: TableSchema;
  readonly files: readonly StoredFile[];
  readonly generations: readonly GenerationMoment[];
  readonly series: SeriesIndex | undefined;
  readonly columns: readonly NumberColumn[];
}

export interface ReadySegments {
  readonly tags: TableTags;
  readonly files: readonly FileSegment[];
  readonly buffers: readonly BufferSegment[];
}

/** `cold` = large, and not asked for before; `unfit` = cannot be held; `load` = call it and ask again. It never rejects. */
export type SegmentAnswer = ReadySegments | 'cold' | 'unfit' | { readonly load: () => Promise<void> };

export interface ColumnStoreOptions {
  readonly loader: SegmentLoader;
  readonly tables: TableReader;
  readonly bytesMax: number;
  /** Told when columns could not be loaded: DuckDB answers instead. */
  readonly onLoadFailed: (error: unknown) => void;
}

/**
 * Columns of files and buffered rows in memory, as many as fit: those that no query needed for longest go first. What is
 * large and asked for once is not worth it; the second query loads. Buffered rows are followed as they arrive.
 *
 * Shared by: all queries that are answered from memory, and writes, which are told to the followers. `segments` answers in the
 * same synchronous step in which the query looked at the buffer, and what a query then reads of a segment (row count, arrays) it
 * takes before its first turn ends; rows that come later are behind that count, and arrays are replaced, not moved. One load of
 * a table runs at a time; a segment is handed out only when its load has ended. Generations are told apart by their source,
 * never by name; files by ids, which are not used again.
 */
export class ColumnStore {
  readonly #options: ColumnStoreOptions;
  #tables = new WeakMap<TableSchema, TableColumns>();
  /** In the order of their last use. */
  readonly #held = new Set<Held>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: ColumnStoreOptions) {
    this.#options = options;
  }

  /** Forgets everything, loads that failed included: files and buffers were opened anew. */
  clear(): void {
    for (const entry of [...this.#held]) this.#drop(entry);
    this.#tables = new WeakMap();
    this.#bytes = 0;
  }

  /** Figures for metrics: memory as of the last look, and how often a file or buffer was there when it was needed. */
  get figures(): { readonly bytes: number; readonly entries: number; readonly hits: number; readonly misses: number } {
    return { bytes: this.#bytes, entries: this.#held.size, hits: this.#hits, misses: this.#misses };
  }

  /** Synchronous, so that the answer belongs to the same moment as the request's files and generations. */
  segments(request: SegmentRequest): SegmentAnswer {
    const { table, files, generations, series } = request;
    if ((series?.count ?? 0) > SERIES_MAX) return 'unfit';
    const columns = this.#columnsOf(table);
    if (columns.unfit) return 'unfit';
    const missingFiles = files.filter((file) => !hasFields(columns.files.get(fileKey(file))?.segment, request.columns));
    const missingGenerations = generations.filter((generation) => !columns.buffers.get(generation.source)?.isReady(request.columns));
    const missing = missingFiles.length + missingGenerations.length;
    if (missing > 0) {
      this.#misses += missing;
      const rows = rowsOf(missingFiles) + rowsOf(missingGenerations);
      const isSmall = rows * (request.columns.length + 1) <= SMALL_VALUES_MAX;
      if (!columns.isWarm(missingFiles, missingGenerations) && !isSmall) return 'cold';
      const wanted = { ...request, columns: widened(table, request.columns, rows) };
      return { load: () => this.#loadOnce(wanted, columns, missingFiles, missingGenerations) };
    }
    const fileEntries = files.map((file) => columns.files.get(fileKey(file)) as HeldFile);
    const followers = generations.map((generation) => columns.buffers.get(generation.source) as Follower);
    for (const entry of [...fileEntries, ...followers]) this.#use(entry);
    this.#hits += fileEntries.length + followers.length;
    const buffers = followers.map((follower) => follower.segment);
    if (buffers.some((segment) => segment.unfit)) return 'unfit';
    return { tags: columns.tags, files: fileEntries.map((entry) => entry.segment), buffers };
  }

  /** One load of a table at a time: who comes meanwhile waits and asks again. */
  #loadOnce(
    request: SegmentRequest,
    columns: TableColumns,
    missingFiles: readonly StoredFile[],
    missingGenerations: readonly GenerationMoment[],
  ): Promise<void> {
    columns.loading ??= this.#load(request, columns, missingFiles, missingGenerations)
      .catch((error: unknown) => {
        // What is wrong with a file DuckDB will tell the client; a table that keeps failing is left alone.
        columns.unfit = ++columns.failures >= FAILURES_MAX;
        this.#options.onLoadFailed(error);
      })
      .finally(() => {
        columns.loading = undefined;
      });
    return columns.loading;
  }

  async #load(
    request: SegmentRequest,
    columns: TableColumns,
    missingFiles: readonly StoredFile[],
    missingGenerations: readonly GenerationMoment[],
  ): Promise<void> {
    const { loader, tables } = this.#options;
    const { table } = request;
    const followers = missingGenerations.map((generation) => this.#follow(columns, generation.source, request.columns));
    const [minNs, maxNs] = timesOf(missingFiles);
    try {
      const snapshot = await tables.snapshot(table, minNs, maxNs); // in the same step as the followers' first moments
      try {
        await this.#loadFiles(table, columns, missingFiles, request.columns);
        for (const follower of followers) await follower.load(loader, snapshot.buffer?.generations ?? []);
      } finally {
        snapshot.release();
      }
    } catch (error) {
      for (const follower of followers) this.#drop(follower);
      throw error;
    }
    columns.failures = 0;
    this.#makeRoom();
  }

  async #loadFiles(
    table: TableSchema,
    columns: TableColumns,
    files: readonly StoredFile[],
    wanted: readonly NumberColumn[],
  ): Promise<void> {
    const { loader } = this.#options;
    const unknown = files.filter((file) => !columns.files.has(fileKey(file)));
    if (unknown.length > 0) {
      const segments = await loader.files(table, columns.tags, unknown);
      if (segments === undefined) {
        columns.unfit = true;
        return;
      }
      unknown.forEach((file, i) => {
        const key = fileKey(file);
        const entry: HeldFile = { segment: segments[i] as FileSegment, drop: () => columns.files.delete(key) };
        columns.files.set(key, entry);
        this.#use(entry);
      });
    }
    // Files that lack the same fields are read together.
    const groups = new Map<string, LackingFields>();
    for (const file of files) {
      const segment = columns.files.get(fileKey(file))?.segment;
      const lacking = wanted.filter((column) => segment?.field(column.id) === undefined);
      if (segment === undefined || lacking.length === 0) continue;
      const key = lacking.map((column) => column.id).join();
      const group = groups.get(key) ?? { lacking, files: [], segments: [] };
      group.files.push(file);
      group.segments.push(segment);
      groups.set(key, group);
    }
    // Another table's load may take segments out of the store meanwhile.
    for (const { lacking, files: group, segments } of groups.values()) {
      await loader.fields(table, lacking, group, segments);
    }
  }

  /** From now on no row of the generation is missed. */
  #follow(columns: TableColumns, source: GenerationSource, wanted: readonly NumberColumn[]): Follower {
    const before = columns.buffers.get(source);
    const types = new Map<number, NumberType>(before?.segment.columnTypes);
    for (const column of wanted) types.set(column.id, column.type);
    if (before !== undefined) this.#drop(before);
    const follower: Follower = new Follower(source, types, () => {
      if (columns.buffers.get(source) === follower) columns.buffers.delete(source);
      this.#held.delete(follower);
    });
    columns.buffers.set(source, follower);
    this.#use(follower);
    return follower;
  }

  #columnsOf(table: TableSchema): TableColumns {
    let columns = this.#tables.get(table);
    if (columns === undefined) {
      columns = new TableColumns();
      this.#tables.set(table, columns);
    }
    return columns;
  }

  #use(entry: Held): void {
    this.#held.delete(entry);
    this.#held.add(entry);
  }

  #drop(entry: Held): void {
    this.#held.delete(entry);
    entry.drop();
  }

  #makeRoom(): void {
    let bytes = 0;
    for (const entry of this.#held) bytes += entry.segment.bytes;
    for (const entry of this.#held) {
      if (bytes <= this.#options.bytesMax) break;
      bytes -= entry.segment.bytes;
      this.#drop(entry);
    }
    this.#bytes = bytes;
  }
}

/** Files that lack the same fields, and their segments. */
interface LackingFields {
  readonly lacking: readonly NumberColumn[];
  readonly files: StoredFile[];
  readonly segments: FileSegment[];
}

/** Something that memory is spent on. */
interface Held {
  readonly segment: { readonly bytes: number };
  drop(): void;
}

interface HeldFile extends Held {
  readonly segment: FileSegment;
}

/** At or below this many values, columns are loaded for the first query that needs them: DuckDB would read as much. */
const SMALL_VALUES_MAX = 1_500_000;

function rowsOf(parts: readonly (StoredFile | GenerationMoment)[]): number {
  return parts.reduce((sum, part) => sum + ('rowCount' in part ? part.rowCount : part.rows), 0);
}

/** The columns to load: all number fields of a small table, because the next panel of a dashboard asks for another one. */
function widened(table: TableSchema, columns: readonly NumberColumn[], rows: number): readonly NumberColumn[] {
  const all = table.columns.filter((column): column is NumberColumn => isNumberType(column.type));
  return rows * (all.length + 1) <= SMALL_VALUES_MAX ? all : columns;
}

/** What is known of one table. */
class TableColumns {
  readonly tags = new TableTags();
  readonly files = new Map<string, HeldFile>();
  readonly buffers = new WeakMap<GenerationSource, Follower>();
  /** Its files are not sorted as this server sorts them, or have too many series. */
  unfit = false;
  loading: Promise<void> | undefined;
  failures = 0;
  readonly #askedFiles = new Set<string>();
  readonly #askedGenerations = new WeakSet<GenerationSource>();

  /** True when everything was asked for before; notes that it is asked for now. */
  isWarm(files: readonly StoredFile[], generations: readonly GenerationMoment[]): boolean {
    let warm = true;
    if (this.#askedFiles.size > ASKED_FILES_MAX) this.#askedFiles.clear();
    for (const file of files) {
      const key = fileKey(file);
      warm &&= this.files.has(key) || this.#askedFiles.has(key);
      this.#askedFiles.add(key);
    }
    for (const { source } of generations) {
      warm &&= this.buffers.has(source) || this.#askedGenerations.has(source);
      this.#askedGenerations.add(source);
    }
    return warm;
  }
}

const ASKED_FILES_MAX = 100_000;

/** Loads of one table that may fail. */
const FAILURES_MAX = 3;

/**
 * Keeps a buffer segment up to its generation: the rows of the moment at which it began to follow are read from DuckDB, all
 * later ones are told. Both begin in the same synchronous step, so that no row is missed or comes twice.
 */
class Follower implements Held {
  readonly segment: BufferSegment;
  readonly #first: GenerationMoment;
  readonly #forget: () => void;
  readonly #unfollow: () => void;
  #waiting: TableSection[] | undefined = [];

  constructor(source: GenerationSource, types: ReadonlyMap<number, NumberType>, forget: () => void) {
    this.#first = source.moment();
    this.#forget = forget;
    this.segment = new BufferSegment(leastTime(this.#first), types, Math.ceil(this.#first.rows * 1.2));
    this.#unfollow = source.follow({ added: (section) => this.#added(section), retired: () => this.drop() });
  }

  isReady(columns: readonly NumberColumn[]): boolean {
    return this.#waiting === undefined && this.segment.has(columns.map((column) => column.id));
  }

  /**
   * Reads the rows that were there at first, then takes those that came since.
   * @param readable generations of a view that was opened in the same step in which it began to follow
   */
  async load(loader: SegmentLoader, readable: readonly ReadableGeneration[]): Promise<void> {
    const found = readable.find(({ source }) => source === this.#first.source);
    if (found?.rows !== this.#first.rows) throw new Error('internal error: the view is of another moment');
    await loader.generation(found, this.segment);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const section of waiting) this.segment.append(section);
  }

  drop(): void {
    this.#unfollow();
    this.#forget();
  }

  #added(section: TableSection): void {
    if (this.#waiting === undefined) this.segment.append(section);
    else this.#waiting.push(section);
  }
}

function leastTime(generation: GenerationMoment): bigint {
  let least: bigint | undefined;
  for (const { minTimeNs } of generation.chunks.values()) if (least === undefined || minTimeNs < least) least = minTimeNs;
  return least ?? 0n;
}

/** Paths may be used again, ids are not. */
function fileKey(file: StoredFile): string {
  return `${file.id}`;
}

function hasFields(segment: FileSegment | undefined, columns: readonly NumberColumn[]): boolean {
  return segment !== undefined && columns.every((column) => segment.field(column.id) !== undefined);
}

function timesOf(files: readonly StoredFile[]): [bigint, bigint] | [undefined, undefined] {
  const [first] = files;
  if (first === undefined) return [undefined, undefined];
  let { minTimeNs, maxTimeNs } = first;
  for (const file of files) {
    if (file.minTimeNs < minTimeNs) minTimeNs = file.minTimeNs;
    if (file.maxTimeNs > maxTimeNs) maxTimeNs = file.maxTimeNs;
  }
  return [minTimeNs, maxTimeNs];
}
