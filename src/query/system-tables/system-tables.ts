import type { RelationColumn, RelationInfo } from '../sql/types/contract.ts';
import { type InformationSchemaTables, informationSchemaColumns, informationSchemaRows, type ListedTable } from './information-schema.ts';
import type { Cell, RowSet } from './rows-source.ts';

/** What whoever asks may see. */
export interface Viewer {
  /** True = queries of the database that is asked, not those of others. */
  readonly ownQueriesOnly?: boolean | undefined;
}

/** One table of the `system` schema. */
export interface SystemTableProvider {
  readonly name: string;
  readonly columns: readonly RelationColumn[];
  /** Present only in this database; undefined = in every one. */
  readonly onlyIn?: string;
  /** Listed only in this database, although every one has it; undefined = where it is present. */
  readonly listedIn?: string;
  /** Rows as of now, for one database. */
  rows(database: string, viewer?: Viewer): readonly (readonly Cell[])[] | Promise<readonly (readonly Cell[])[]>;
}

/** User tables of a database, as the information schema lists them. */
export type UserTables = (database: string) => Iterable<{ readonly name: string; readonly columns: readonly RelationColumn[] }>;

/** `system.*` and `information_schema.*`: tables that the server makes per request from its own state. */
export class SystemTables {
  readonly #providers: readonly SystemTableProvider[];
  readonly #userTables: UserTables;

  constructor(providers: readonly SystemTableProvider[], userTables: UserTables) {
    this.#providers = [...providers].sort((a, b) => byBytes(a.name, b.name));
    this.#userTables = userTables;
  }

  /** Undefined when there is no such table in that database. */
  relation(schema: 'system' | 'information_schema', name: string, database: string): RelationInfo | undefined {
    const columns = schema === 'system' ? this.#provider(name, database)?.columns : informationSchemaColumns(name);
    return columns === undefined ? undefined : { schema, name, columns };
  }

  async rows(schema: 'system' | 'information_schema', name: string, database: string, viewer?: Viewer): Promise<RowSet> {
    if (schema === 'information_schema') return informationSchemaRows(name as InformationSchemaTables, this.#listed(database));
    const provider = this.#provider(name, database);
    if (provider === undefined) throw new Error(`internal error: no system table ${name}`);
    return { columns: provider.columns, rows: await provider.rows(database, viewer) };
  }

  #provider(name: string, database: string): SystemTableProvider | undefined {
    return this.#providers.find((provider) => provider.name === name && isIn(database, provider.onlyIn));
  }

  /** User tables by name, then system tables by name. */
  #listed(database: string): ListedTable[] {
    const listed: ListedTable[] = [];
    for (const { name, columns } of [...this.#userTables(database)].sort((a, b) => byBytes(a.name, b.name))) {
      listed.push({ schema: 'iox', name, columns });
    }
    for (const { name, columns, onlyIn, listedIn } of this.#providers) {
      if (isIn(database, onlyIn) && isIn(database, listedIn)) listed.push({ schema: 'system', name, columns });
    }
    return listed;
  }
}

function isIn(database: string, only: string | undefined): boolean {
  return only === undefined || only === database;
}

/** Order of the UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
