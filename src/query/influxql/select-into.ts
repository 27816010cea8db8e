/** SELECT .. INTO: writes the rows of an answer. */
import { InfluxError } from '../../shared/errors.ts';
import { LineProtocolError } from '../../write/line-protocol/index.ts';
import type { WriteService } from '../../write/write-service.ts';
import type { InfluxqlResult } from './contract.ts';
import { lineMaker } from './line-text.ts';
import { integerColumn, madeSeries } from './made-lists.ts';

/** Text of one write, characters. */
const WRITE_CHARS_MAX = 1024 * 1024;

export interface IntoTarget {
  /** There already. */
  readonly database: string;
  /** Undefined = each row's own. */
  readonly measurement: string | undefined;
}

/**
 * Writes all rows of an answer, in pieces of a megabyte. Resolves with the count of rows as InfluxDB 1 shows it. When a piece is refused,
 * those before it stay written, as in InfluxDB 1; the error says how many rows they are.
 */
export async function writeRows(answer: InfluxqlResult, target: IntoTarget, writes: WriteService): Promise<InfluxqlResult> {
  const lineOf = lineMaker(answer, target.measurement);
  let lines = '';
  let waiting = 0;
  let written = 0;
  const write = async (): Promise<void> => {
    if (waiting === 0) return;
    await writePiece(writes, target.database, lines).catch((error: unknown) => {
      throw error instanceof InfluxError ? refusedPiece(error, written) : error;
    });
    written += waiting;
    waiting = 0;
    lines = '';
  };
  for await (const { columns, rowCount } of answer.result.batches()) {
    for (let row = 0; row < rowCount; row++) {
      const line = lineOf(columns, row);
      if (line === '') continue;
      lines += line;
      waiting++;
      if (lines.length >= WRITE_CHARS_MAX) await write();
    }
  }
  await write();
  const columns = [
    { name: 'time', type: { kind: 'timestamp' as const, zone: undefined }, values: [0n] },
    integerColumn('written', [BigInt(written)]),
  ];
  return madeSeries([{ name: 'result', columns }]);
}

async function writePiece(writes: WriteService, database: string, lines: string): Promise<void> {
  const body = Buffer.from(lines);
  await writes.write({ database, body, precision: 'nanosecond', acceptPartial: false, noSync: false });
}

function refusedPiece(error: InfluxError, written: number): InfluxError {
  const reason = error instanceof LineProtocolError ? error.lineError.errorMessage : error.message;
  const message = written === 0 ? reason : `${reason} (${written} rows were written before)`;
  return new InfluxError({ code: 'INFLUXQL_STATEMENT', message, status: error.status, cause: error });
}
