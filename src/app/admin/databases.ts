import type { DatabaseAdmin, HardDelete, NewField, TableAdmin } from '../../server/http/index.ts';
import type { FieldType } from '../../shared/column-type.ts';
import type { HardDelete as CatalogHardDelete } from '../../write/catalog/index.ts';
import type { AdminDependencies } from './index.ts';

type Deps = Pick<AdminDependencies, 'catalog' | 'hardDeleteDefaultMs' | 'nowMs' | 'onDeleted'>;

export function databaseAdmin(deps: Deps): DatabaseAdmin {
  const { catalog } = deps;
  return {
    list({ showDeleted }) {
      return [...catalog.databases()]
        .filter((database) => showDeleted || !database.deleted)
        .map(({ name, deleted }) => ({ name, deleted }))
        .sort((a, b) => Number(a.deleted) - Number(b.deleted) || (a.name < b.name ? -1 : 1));
    },
    async create({ name, retentionPeriodNs }) {
      await catalog.createDatabase(name, { retentionNs: retentionPeriodNs });
    },
    async setRetention({ name, retentionPeriodNs }) {
      await catalog.setRetention(name, retentionPeriodNs);
    },
    async delete({ name, hardDelete }) {
      await catalog.softDeleteDatabase(name, catalogTime(hardDelete, deps));
      deps.onDeleted(name);
    },
  };
}

export function tableAdmin(deps: Deps): TableAdmin {
  const { catalog } = deps;
  return {
    async create({ database, table, tags, fields }) {
      await catalog.createTable(database, table, { tags, fields: fields.map(({ name, type }) => ({ name, type: FIELD_TYPES[type] })) });
    },
    async delete({ database, table, hardDelete }) {
      await catalog.softDeleteTable(database, table, catalogTime(hardDelete, deps));
      deps.onDeleted(database);
    },
  };
}

const FIELD_TYPES: Readonly<Record<NewField['type'], FieldType>> = {
  utf8: 'string',
  int64: 'integer',
  uint64: 'uinteger',
  float64: 'float',
  bool: 'boolean',
};

/** The catalog's own default is 72 hours; an option that says otherwise becomes a time. */
function catalogTime(hardDelete: HardDelete, deps: Deps): CatalogHardDelete {
  if (hardDelete.kind === 'at') return { kind: 'at', timeNs: BigInt(hardDelete.timeMs) * 1_000_000n };
  if (hardDelete.kind === 'default' && deps.hardDeleteDefaultMs !== CATALOG_DEFAULT_MS) {
    return { kind: 'at', timeNs: BigInt(deps.nowMs() + deps.hardDeleteDefaultMs) * 1_000_000n };
  }
  return { kind: hardDelete.kind };
}

const CATALOG_DEFAULT_MS = 72 * 3600 * 1000;
