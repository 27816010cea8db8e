import type { RelationColumn, RelationInfo } from '../sql/contract.ts';
import {
  COLUMNS_COLUMNS,
  columnsRows,
  type ListedTable,
  SCHEMATA_COLUMNS,
  SETTINGS_COLUMNS,
  TABLES_COLUMNS,
  tablesRows,
  VIEWS_COLUMNS,
} from './information-schema.ts';
import type { Cell, RowSet } from './rows-source.ts';

/** One table of the `system` schema. */
export interface SystemTableProvider {
  readonly name: string;
  readonly columns: readonly RelationColumn[];
  /** Present only in this database; undefined = in every one. */
  readonly onlyIn?: string;
  /** Rows as of now, for one database. */
  rows(database: string): readonly (readonly Cell[])[] | Promise<readonly (readonly Cell[])[]>;
}

/** User tables of a database, as the information schema lists them. */
export type UserTables = (database: string) => Iterable<{ readonly name: string; readonly columns: readonly RelationColumn[] }>;

/** `system.*` and `information_schema.*`: tables that the server makes per request from its own state. */
export class SystemTables {
  readonly #providers: readonly SystemTableProvider[];
  readonly #userTables: UserTables;

  constructor(providers: readonly SystemTableProvider[], userTables: UserTables) {
    this.#providers = providers;
    this.#userTables = userTables;
  }

  /** Undefined when there is no such table in that database. */
  relation(schema: 'system' | 'information_schema', name: string, database: string): RelationInfo | undefined {
    const columns = schema === 'system' ? this.#provider(name, database)?.columns : INFORMATION_SCHEMA.get(name);
    return columns === undefined ? undefined : { schema, name, columns };
  }

  async rows(schema: 'system' | 'information_schema', name: string, database: string): Promise<RowSet> {
    if (schema === 'system') {
      const provider = this.#provider(name, database);
      if (provider === undefined) throw new Error(`internal error: no system table ${name}`);
      return { columns: provider.columns, rows: await provider.rows(database) };
    }
    switch (name) {
      case 'tables':
        return tablesRows(this.#listed(database));
      case 'columns':
        return columnsRows(this.#listed(database));
      case 'schemata': {
        const schemas = ['information_schema', 'iox', 'system'];
        return { columns: SCHEMATA_COLUMNS, rows: schemas.map((schema_) => ['public', schema_, null, null, null, null, null]) };
      }
      case 'views':
        return { columns: VIEWS_COLUMNS, rows: [] };
      case 'df_settings':
        return { columns: SETTINGS_COLUMNS, rows: [] };
      default:
        throw new Error(`internal error: no table information_schema.${name}`);
    }
  }

  #provider(name: string, database: string): SystemTableProvider | undefined {
    return this.#providers.find((provider) => provider.name === name && (provider.onlyIn === undefined || provider.onlyIn === database));
  }

  /** User tables by name, then system tables, then the information schema. */
  #listed(database: string): ListedTable[] {
    const listed: ListedTable[] = [];
    const user = [...this.#userTables(database)].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    for (const table of user) listed.push({ schema: 'iox', name: table.name, kind: 'BASE TABLE', columns: table.columns });
    const system = this.#providers.filter((provider) => provider.onlyIn === undefined || provider.onlyIn === database);
    for (const table of [...system].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      listed.push({ schema: 'system', name: table.name, kind: 'BASE TABLE', columns: table.columns });
    }
    for (const [name, columns] of INFORMATION_SCHEMA) listed.push({ schema: 'information_schema', name, kind: 'VIEW', columns });
    return listed;
  }
}

const INFORMATION_SCHEMA: ReadonlyMap<string, readonly RelationColumn[]> = new Map([
  ['tables', TABLES_COLUMNS],
  ['views', VIEWS_COLUMNS],
  ['columns', COLUMNS_COLUMNS],
  ['df_settings', SETTINGS_COLUMNS],
  ['schemata', SCHEMATA_COLUMNS],
]);
