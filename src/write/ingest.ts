import { type Catalog, validateDatabaseName } from '../catalog/index.ts';
import type { Clock } from '../shared/clock.ts';
import { InfluxError } from '../shared/errors.ts';
import { encodeBatch, SeriesDefinitions } from './batch/index.ts';
import type { WriteBuffer } from './buffer/index.ts';
import { LineParser } from './line-protocol/index.ts';
import type { ParsedWrite } from './line-protocol/parsed-write.ts';
import type { Wal } from './wal/index.ts';
import type { WriteOutcome, WriteRequest, WriteService } from './write-service.ts';

export interface IngestDependencies {
  readonly catalog: Catalog;
  readonly wal: Wal;
  readonly buffer: WriteBuffer;
  readonly clock: Clock;
  /** Called when a write that nobody waits for (`no_sync`) could not be made durable. */
  readonly onLostWrite: (error: unknown) => void;
}

/** How often a write is parsed again because another one changed the schema meanwhile. */
const SCHEMA_ATTEMPTS_MAX = 20;

/**
 * The write path: parse, commit schema additions, encode, log, and hand the durable rows to the buffer
 * (`storage` spec 2).
 */
export class Ingest implements WriteService {
  readonly #deps: IngestDependencies;
  readonly #parsers = new Map<string, LineParser>();
  readonly #definitions = new SeriesDefinitions();

  constructor(dependencies: IngestDependencies) {
    this.#deps = dependencies;
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    // Of a database that was written to before the name is known to be good.
    if (!this.#parsers.has(request.database)) validateDatabaseName(request.database);
    await this.#deps.buffer.open();
    await this.#deps.buffer.ready();
    if (request.noSync) await this.#deps.wal.whenRoom();
    const parsed = await this.#parse(request);
    if (parsed.acceptedLines === 0 && parsed.lineErrors.length === 0) throw emptyWrite();
    if (parsed.acceptedLines > 0) await this.#store(request, parsed);
    return { acceptedLines: parsed.acceptedLines, acceptedBytes: parsed.acceptedBytes, lineErrors: parsed.lineErrors };
  }

  /** Forgets cached series of a database, after tables of it were deleted. */
  forget(database: string): void {
    this.#parsers.get(database)?.clear();
  }

  /** Parses until the schema needs no more additions; the rows of the last pass are the result. */
  async #parse(request: WriteRequest): Promise<ParsedWrite> {
    const { catalog, clock, buffer } = this.#deps;
    const options = { precision: request.precision, acceptPartial: request.acceptPartial, ingestTimeNs: clock.nowNs() };
    let parser = this.#parsers.get(request.database);
    if (parser === undefined) {
      parser = new LineParser({ seriesOf: (table) => buffer.series(table) });
      if (catalog.database(request.database) !== undefined) this.#parsers.set(request.database, parser);
    }
    let lineErrors: ParsedWrite['lineErrors'] | undefined;
    for (let attempt = 0; attempt < SCHEMA_ATTEMPTS_MAX; attempt++) {
      const transaction = catalog.beginWrite(request.database);
      const parsed = parser.parse(request.body, transaction, options);
      // A later pass sees columns that later lines added and may word the same refusal differently.
      if (!parsed.schemaChanged)
        return { ...parsed, lineErrors: parsed.lineErrors.length === lineErrors?.length ? lineErrors : parsed.lineErrors };
      if ((await catalog.commit(transaction)) === 'committed') lineErrors = parsed.lineErrors;
    }
    throw new InfluxError({
      code: 'SCHEMA_CONTENTION',
      message: `write buffer error: the schema of database '${request.database}' kept changing; try again`,
      status: 500,
    });
  }

  /** Synchronous up to the log: the parser's arrays are free again when this returns its promise. */
  async #store(request: WriteRequest, parsed: ParsedWrite): Promise<void> {
    const { catalog, wal, buffer } = this.#deps;
    const database = catalog.database(request.database);
    if (database === undefined) throw new Error('internal error: rows of a database that is not in the catalog');
    const batch = encodeBatch(database.id, parsed.tables, this.#definitions, wal.currentFileNumber);
    let minTimeNs = parsed.tables[0]?.minTimeNs ?? 0n;
    let maxTimeNs = parsed.tables[0]?.maxTimeNs ?? 0n;
    for (const table of parsed.tables) {
      if (table.minTimeNs < minTimeNs) minTimeNs = table.minTimeNs;
      if (table.maxTimeNs > maxTimeNs) maxTimeNs = table.maxTimeNs;
    }
    const durable = wal.append(batch, minTimeNs, maxTimeNs, () => buffer.apply(batch));
    if (request.noSync) durable.catch(this.#deps.onLostWrite);
    else await durable;
  }
}

function emptyWrite(): InfluxError {
  return new InfluxError({ code: 'EMPTY_WRITE', message: 'incoming write was empty', status: 400 });
}
