import { crc32 } from 'node:zlib';
import { assert } from '../../shared/assert.ts';
import type { ParsedTable } from '../line-protocol/parsed-write.ts';
import type { SeriesIndex } from '../series/index.ts';
import { decodeBatch, type TableSection } from './decode.ts';

/**
 * What was put into a batch, to be compared with what is taken out of it when it is durable. Row counts and tables are always
 * compared, the checksum of all bytes if wanted. Until it is settled its series count as in use, so that the ids in the batch
 * keep their meaning.
 */
export class BatchReceipt {
  readonly #tableIds: number[] = [];
  readonly #rowCounts: number[] = [];
  readonly #series: SeriesIndex[] = [];
  readonly #withChecksum: boolean;
  #checksum: number | undefined;

  /** @param withChecksum compare every byte: for tests, it takes as long as the copy itself */
  constructor(tables: readonly ParsedTable[], withChecksum: boolean) {
    this.#withChecksum = withChecksum;
    for (const { table, rowCount, series } of tables) {
      this.#tableIds.push(table.id);
      this.#rowCounts.push(rowCount);
      this.#series.push(series);
      series.hold();
    }
  }

  /** Notes the encoded batch, which nobody changes from now on. */
  seal(batch: Uint8Array): Uint8Array {
    if (this.#withChecksum) this.#checksum = crc32(batch);
    return batch;
  }

  /** The sections of the batch, each with the series that its ids mean. Throws an assertion when they are not what was put in. */
  open(batch: Uint8Array): { readonly section: TableSection; readonly series: SeriesIndex }[] {
    assert(this.#checksum === undefined || crc32(batch) === this.#checksum, 'a batch was changed after it was encoded');
    const sections = decodeBatch(batch);
    assert(sections.length === this.#tableIds.length, 'a batch has other tables than were encoded');
    return sections.map((section, i) => {
      assert(section.tableId === this.#tableIds[i] && section.rowCount === this.#rowCounts[i], 'a batch has other rows than were encoded');
      return { section, series: this.#series[i] as SeriesIndex };
    });
  }

  /** The batch was applied or will never be. */
  settle(): void {
    for (const series of this.#series.splice(0)) series.release();
  }
}
