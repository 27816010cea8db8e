import type { ColumnSchema } from '../../catalog/schema.ts';
import { type Engine, sqlIdentifier } from '../../duckdb/index.ts';
import { bufferColumn } from '../buffer/index.ts';
import { TagEnumerations } from '../parquet/tag-enumerations.ts';

/**
 * The series of a table in the order of their tags, for the files of one snapshot: an engine table
 * `(sid, series_rank, c<tag column id>...)`. Tags of few values are enumerations.
 */
export class RankedSeries {
  readonly engineTable: string;
  readonly #engine: Engine;
  readonly #enumerations: TagEnumerations;

  private constructor(engine: Engine, engineTable: string, enumerations: TagEnumerations) {
    this.#engine = engine;
    this.engineTable = engineTable;
    this.#enumerations = enumerations;
  }

  /**
   * @param tagColumns the tags that are ranked, in the order of the series key
   * @param seriesTable DuckDB table `(sid, c<tag column id>...)`; it is ranked once at a time
   */
  static async create(engine: Engine, tagColumns: readonly ColumnSchema[], seriesTable: string): Promise<RankedSeries> {
    const tags = tagColumns.map((tag) => bufferColumn(tag.id));
    const source = sqlIdentifier(seriesTable);
    const enumerations = await TagEnumerations.create(engine, tags, source, seriesTable);
    const ranked = new RankedSeries(engine, `${seriesTable}_ranked`, enumerations);
    try {
      const rank = `(row_number() OVER (ORDER BY ${tags.map((tag) => `${tag} ASC NULLS FIRST`).join(', ')}))::INTEGER`;
      const values = tags.map((tag) => `${enumerations.cast(tag, tag)} AS ${tag}`).join(', ');
      await engine.run(
        `CREATE OR REPLACE TABLE ${sqlIdentifier(ranked.engineTable)} AS SELECT sid, ${rank} AS series_rank, ${values} FROM ${source}`,
      );
      return ranked;
    } catch (error) {
      await ranked.drop().catch(() => undefined); // the first failure is the one to report
      throw error;
    }
  }

  async drop(): Promise<void> {
    await this.#engine.run(`DROP TABLE IF EXISTS ${sqlIdentifier(this.engineTable)}`);
    await this.#enumerations.drop();
  }
}
