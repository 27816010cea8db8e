import { type Catalog, type DatabaseSchema, type TableSchema, validateDatabaseName } from '../catalog/index.ts';
import { assert } from '../shared/assert.ts';
import type { Clock } from '../shared/clock.ts';
import { InfluxError } from '../shared/errors.ts';
import type { DatabaseId, WalFileNumber } from '../shared/ids.ts';
import { BatchReceipt, encodeBatch, SeriesDefinitions } from './batch/index.ts';
import type { WriteBuffer } from './buffer/index.ts';
import type { DurableBatch, DurableRows } from './durable-rows.ts';
import { LineParser, type ParsedRows } from './line-protocol/index.ts';
import type { Wal } from './wal/index.ts';
import type { WriteOutcome, WriteRequest, WriteService } from './write-service.ts';

export interface IngestDependencies {
  readonly catalog: Catalog;
  readonly wal: Wal;
  readonly buffer: WriteBuffer;
  readonly clock: Clock;
  /** Called when a write that nobody waits for (`no_sync`) could not be made durable. */
  readonly onLostWrite: (error: unknown) => void;
  /** Why rows of a table are not taken now; undefined = they are. */
  readonly refusal: (table: TableSchema) => InfluxError | undefined;
  /** Told of rows that became durable, in the order of the log. */
  readonly durableRows: DurableRows;
  /** Whether all writes wait for room in the log's queue, not only those that wait for nothing else; false by default. */
  readonly waitsForRoom?: boolean;
  /** Whether every byte of a batch is compared between its encoding and its use; false by default. */
  readonly checkBatches?: boolean;
}

/** How often a write is parsed again because another one changed the schema meanwhile. */
const SCHEMA_ATTEMPTS_MAX = 20;

/** A record in the log. In an object, because a parser's rows must not be lent to anything that returns a promise. */
interface Logged {
  readonly durable: Promise<void>;
}

/**
 * The write path: parse, commit schema additions, encode, log, and hand the durable rows to the buffer.
 *
 * Shared by: all writes. Safe because from the first byte parsed to the record in the log's queue nothing is awaited: rows
 * leave the parser only as a batch, which owns its memory, and the file that the batch was encoded for is the one that it goes
 * into. What a write awaits (room, schema commits) comes before, and the body is parsed anew after it. The batch itself is
 * changed by nobody from then on: the log writes it, the buffer and its followers read views of it.
 */
export class Ingest implements WriteService {
  readonly #deps: IngestDependencies;
  /** Also holds databases that were renamed by a delete: an undelete brings back the same object. */
  readonly #parsers = new WeakMap<DatabaseSchema, LineParser>();
  /** For first writes of a database: in none of them is any table known. */
  readonly #newcomers: LineParser;
  /** Databases whose writes wait, and what they wait for. */
  readonly #held = new Map<number, Promise<void>>();
  readonly #definitions = new SeriesDefinitions();

  constructor(dependencies: IngestDependencies) {
    this.#deps = dependencies;
    this.#newcomers = this.#newParser();
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    const { buffer, catalog, clock, wal } = this.#deps;
    if (!this.#isKnown(request.database)) validateDatabaseName(request.database);
    await buffer.open();
    await buffer.ready();
    const options = { precision: request.precision, acceptPartial: request.acceptPartial, ingestTimeNs: clock.nowNs() };
    let lineErrors: WriteOutcome['lineErrors'] | undefined;
    for (let attempt = 0; attempt < SCHEMA_ATTEMPTS_MAX; attempt++) {
      if (request.noSync || this.#deps.waitsForRoom === true) await wal.whenRoom();
      if (this.#held.size > 0) await this.#released(request.database);
      const transaction = catalog.beginWrite(request.database);
      const parser = this.#parserOf(transaction.database);
      const parsed = parser.parse(request.body, transaction, options, (rows) => this.#log(rows, request.origin ?? 'client'));
      if (parsed.schemaChanged) {
        if ((await catalog.commit(transaction)) === 'committed') lineErrors = parsed.lineErrors;
        continue;
      }
      if (parsed.acceptedLines === 0 && parsed.lineErrors.length === 0) throw emptyWrite();
      if (request.noSync) parsed.result?.durable.catch(this.#deps.onLostWrite);
      else if (parsed.result !== undefined) await wal.answered(parsed.result.durable);
      // A later pass sees columns that later lines added and may word the same refusal differently.
      const errors = parsed.lineErrors.length === lineErrors?.length ? lineErrors : parsed.lineErrors;
      return { acceptedLines: parsed.acceptedLines, acceptedBytes: parsed.acceptedBytes, lineErrors: errors };
    }
    throw new InfluxError({
      code: 'SCHEMA_CONTENTION',
      message: `write buffer error: the schema of database '${request.database}' kept changing; try again`,
      status: 500,
    });
  }

  /** Forgets the texts of series of a database; it costs time to parse them again, never more. */
  forget(databaseId: DatabaseId): void {
    const schema = this.#deps.catalog.databaseById(databaseId);
    if (schema !== undefined) this.#parsers.delete(schema);
  }

  /** Keeps writes of a database waiting before they are parsed. Returns what lets them go on, idempotent. */
  hold(databaseId: DatabaseId): () => void {
    assert(!this.#held.has(databaseId), 'writes of a database are held up twice');
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held.set(databaseId, held);
    return () => {
      if (this.#held.get(databaseId) === held) this.#held.delete(databaseId);
      release();
    };
  }

  async #released(database: string): Promise<void> {
    for (;;) {
      const schema = this.#deps.catalog.database(database);
      const held = schema === undefined ? undefined : this.#held.get(schema.id);
      if (held === undefined) return;
      await held;
    }
  }

  /** Of a database that was written to before the name is known to be good. */
  #isKnown(database: string): boolean {
    const schema = this.#deps.catalog.database(database);
    return schema !== undefined && this.#parsers.has(schema);
  }

  #parserOf(database: DatabaseSchema | undefined): LineParser {
    if (database === undefined) return this.#newcomers;
    let parser = this.#parsers.get(database);
    if (parser === undefined) {
      parser = this.#newParser();
      this.#parsers.set(database, parser);
    }
    return parser;
  }

  #newParser(): LineParser {
    return new LineParser({ seriesOf: (table) => this.#deps.buffer.series(table) });
  }

  /** Encodes the rows into a batch that owns its memory and queues it. Only the log's disk work comes later. */
  #log(rows: ParsedRows, origin: DurableBatch['origin']): Logged {
    const { durableRows, wal } = this.#deps;
    const [first, ...others] = rows.value;
    assert(first !== undefined, 'rows are handed over without a table');
    let { minTimeNs, maxTimeNs } = first;
    for (const { table } of rows.value) {
      const refusal = this.#deps.refusal(table);
      if (refusal !== undefined) throw refusal;
    }
    for (const table of others) {
      if (table.minTimeNs < minTimeNs) minTimeNs = table.minTimeNs;
      if (table.maxTimeNs > maxTimeNs) maxTimeNs = table.maxTimeNs;
    }
    const receipt = new BatchReceipt(rows.value, this.#deps.checkBatches === true);
    const encode = (fileNumber: WalFileNumber): Uint8Array =>
      receipt.seal(encodeBatch(first.table.databaseId, rows.value, this.#definitions, fileNumber));
    const durable = wal.append(encode, minTimeNs, maxTimeNs, (batch, fileNumber, index) => {
      this.#apply(batch, receipt);
      durableRows.publish(origin, { fileNumber, index }, batch);
    });
    const settle = (): void => receipt.settle();
    durable.then(settle, settle);
    return { durable };
  }

  /** Hands durable rows to the buffer. Those of a table whose data was dropped meanwhile go with it. */
  #apply(batch: Uint8Array, receipt: BatchReceipt): void {
    const { buffer, catalog } = this.#deps;
    for (const { section, series } of receipt.open(batch)) {
      const { databaseId, tableId } = section;
      if (buffer.ownsSeries(databaseId, tableId, series)) buffer.applySection(section);
      else assert(catalog.tableById(databaseId, tableId)?.deleted !== false, 'rows of a live table have series that it does not own');
    }
  }
}

function emptyWrite(): InfluxError {
  return new InfluxError({ code: 'EMPTY_WRITE', message: 'incoming write was empty', status: 400 });
}
