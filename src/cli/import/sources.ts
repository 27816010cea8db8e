import { stat } from 'node:fs/promises';
import type { ApiClient } from '../client/api-client.ts';
import { cutAtLines, type Piece } from '../client/cut-lines.ts';
import { CommandFailure } from '../client/failure.ts';
import { openMeasured } from '../client/input.ts';
import type { CliIo } from '../io.ts';
import { type CsvMapping, csvRows } from './csv-rows.ts';
import { followHeaders } from './export-file.ts';
import { influxdb1Lines, influxdb1Tables } from './influxdb1-rows.ts';
import { influxdb2Rows, influxdb3Lines, influxdb3Tables } from './influxdb23-rows.ts';
import { rowPieces } from './row-pieces.ts';
import type { OpenSource, Refuse } from './run-import.ts';
import { tableRows } from './source-tables.ts';

export type FileFormat = 'lp' | 'csv' | 'parquet';

/** The format of a file by its name: `.lp`, `.txt` and others are line protocol; `.gz` behind it does not matter. */
export function formatOf(path: string): FileFormat {
  const name = path.toLowerCase().replace(/\.gz$/, '');
  if (name.endsWith('.parquet')) return 'parquet';
  return name.endsWith('.csv') ? 'csv' : 'lp';
}

export interface FileImport {
  readonly path: string;
  readonly format: FileFormat;
  readonly database: string | undefined;
  readonly mapping: CsvMapping & { readonly tagsGiven: boolean };
  readonly requestBytesMax: number;
  /** Where an earlier run got to. */
  readonly position: unknown;
}

/** A file as a source. Throws `CommandFailure` when it cannot be read or the mapping does not fit. */
export async function openFile(from: FileImport, io: CliIo, refuse: Refuse): Promise<OpenSource> {
  const done = typeof from.position === 'number' ? from.position : 0;
  if (from.format === 'parquet') {
    await stat(from.path).catch((error: unknown) => {
      throw new CommandFailure(`error reading file: ${(error as Error).message}`, { cause: error });
    });
    const { table, tags, tagsGiven, time } = { ...from.mapping };
    const { parquetRows } = await import('./parquet-rows.ts');
    const { rows, total } = await parquetRows(from.path, { table, time, tags: tagsGiven ? tags : undefined }, done);
    return {
      pieces: rowPieces(rows, from.requestBytesMax),
      unit: 'row',
      share: (sent) => Math.min(1, (done + sent.rowsStored) / Math.max(1, total)),
    };
  }
  const input = await openMeasured({ kind: 'file', path: from.path }, io).catch((error: unknown) => {
    throw new CommandFailure(`error reading file: ${(error as Error).message}`, { cause: error });
  });
  const share = (): number | undefined =>
    input.total === undefined || input.total === 0 ? undefined : Math.min(1, input.read() / input.total);
  if (from.format === 'lp') {
    const pieces = followHeaders(cutAtLines(input.bytes, from.requestBytesMax), from.database);
    return { pieces: withDatabase(behind(pieces, done)), unit: 'line', share };
  }
  const rows = csvRows(input.bytes, from.mapping, (line, reason, text) => line > done && refuse({ line, reason, text }));
  const missing = async function* (): typeof rows {
    for await (const row of rows) if (row.sourceLine > done) yield row;
  };
  return { pieces: rowPieces(missing(), from.requestBytesMax), unit: 'line', share };
}

/** Pieces that an earlier run did not send. */
async function* behind(pieces: AsyncIterable<Piece>, endByte: number): AsyncIterable<Piece> {
  for await (const piece of pieces) if (piece.endByte > endByte) yield piece;
}

async function* withDatabase(pieces: AsyncIterable<Piece>): AsyncIterable<Piece> {
  for await (const piece of pieces) {
    if (piece.database === undefined) {
      throw new CommandFailure('the file names no database', {
        hint: 'give one with --database; files of influx_inspect export name theirs',
      });
    }
    yield piece;
  }
}

export interface ServerImport {
  readonly version: 1 | 2 | 3;
  readonly databases: readonly string[] | undefined;
  readonly organization: string | undefined;
  readonly database: string | undefined;
  readonly requestBytesMax: number;
  readonly position: unknown;
}

/** A running server as a source. */
export async function openServer(source: ApiClient, from: ServerImport, refuse: Refuse): Promise<OpenSource> {
  const done = typeof from.position === 'number' ? from.position : 0;
  let current = done;
  const onTable = (index: number): void => {
    current = index;
  };
  switch (from.version) {
    case 1: {
      const tables = await influxdb1Tables(source, from.databases, from.database);
      const rows = tableRows(tables, done, onTable, (table) => influxdb1Lines(source, table));
      return { pieces: rowPieces(rows, from.requestBytesMax), unit: 'row', share: () => current / Math.max(1, tables.length) };
    }
    case 3: {
      const tables = await influxdb3Tables(source, from.databases, from.database);
      const rows = tableRows(tables, done, onTable, (table) => influxdb3Lines(source, table));
      return { pieces: rowPieces(rows, from.requestBytesMax), unit: 'row', share: () => current / Math.max(1, tables.length) };
    }
    case 2: {
      const [bucket, ...others] = from.databases ?? [];
      if (bucket === undefined || others.length > 0) {
        throw new CommandFailure('name the one bucket to import', {
          hint: 'with --from-database <bucket>, and the organization with --from-org',
        });
      }
      const rows = influxdb2Rows(
        source,
        { organization: from.organization, bucket, target: from.database ?? bucket },
        (line, reason, text) => refuse({ line, reason, text }),
      );
      return { pieces: rowPieces(rows, from.requestBytesMax), unit: 'row', share: () => undefined };
    }
  }
}

/** The generation of a running server, by what it says about its version. */
export async function detectVersion(source: ApiClient): Promise<1 | 2 | 3> {
  const { body } = await source.fetch({ method: 'GET', path: '/health' }).catch(() => ({ body: Buffer.from('') }));
  const text = body.toString('utf8');
  if (text.startsWith('OK')) return 3;
  const version = /"version"\s*:\s*"v?(\d+)/.exec(text)?.[1];
  return version === '2' ? 2 : 1;
}
