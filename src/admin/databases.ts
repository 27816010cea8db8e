import type { HardDelete as CatalogHardDelete, TableDefinition } from '../catalog/index.ts';
import { type FieldType, ioxColumnType } from '../shared/column-type.ts';
import { InfluxError } from '../shared/errors.ts';
import type { DatabaseAdmin, HardDelete, NewField, TableAdmin } from './admin-service.ts';
import type { AdminDependencies } from './index.ts';

type Deps = Pick<AdminDependencies, 'catalog' | 'hardDeleteDefaultMs' | 'nowMs'>;

/**
 * Databases, as `AdminService` offers them: list, create, change, delete and undelete. Changes are durable when their
 * promise resolves; refusals are the errors of src/catalog.
 */
export function databaseAdmin(deps: Deps): DatabaseAdmin {
  const { catalog } = deps;
  return {
    list({ showDeleted }) {
      return [...catalog.databases()]
        .filter((database) => showDeleted || !database.deleted)
        .map(({ name, deleted, retentionPeriodNs }) => ({ name, deleted, retentionPeriodNs }))
        .sort((a, b) => Number(a.deleted) - Number(b.deleted) || (a.name < b.name ? -1 : 1));
    },
    async create({ name, retentionPeriodNs }) {
      await catalog.createDatabase(name, { retentionNs: retentionPeriodNs });
    },
    async setRetention({ name, retentionPeriodNs }) {
      await catalog.setRetention(name, retentionPeriodNs);
    },
    async setDefaultPolicy({ name, policy }) {
      await catalog.setDefaultPolicy(name, policy);
    },
    async setPolicyShards({ name, shards }) {
      await catalog.setPolicyShards(name, shards);
    },
    async delete({ name, hardDelete }) {
      await catalog.softDeleteDatabase(name, catalogTime(hardDelete, deps));
    },
    async undelete({ name, newName }) {
      await catalog.undeleteDatabase(name, newName);
    },
  };
}

/** Tables, as `AdminService` offers them: create, delete and undelete. A name that is no table name is a 400 with a JSON body. */
export function tableAdmin(deps: Deps): TableAdmin {
  const { catalog } = deps;
  return {
    async create({ database, table, tags, fields }) {
      const definition = { tags, fields: fields.map(({ name, type }) => ({ name, type: FIELD_TYPES[type] })) };
      try {
        await catalog.createTable(database, table, definition);
      } catch (error) {
        throw conflictOfTagAndField(error, definition) ?? error;
      }
    },
    async delete({ database, table, hardDelete }) {
      await catalog.softDeleteTable(database, table, catalogTime(hardDelete, deps));
    },
    async undelete(target) {
      await catalog.undeleteTable(target);
    },
  };
}

/** compat: InfluxDB 3 Core takes the fields first, so that it is the tag that comes second */
function conflictOfTagAndField(error: unknown, { tags, fields }: TableDefinition): InfluxError | undefined {
  if (!(error instanceof InfluxError) || error.code !== 'COLUMN_TYPE_CONFLICT') return undefined;
  const field = fields.find(({ name }) => tags.includes(name));
  if (field === undefined) return undefined;
  const message = `invalid column type for column '${field.name}', expected ${ioxColumnType(field.type)}, got ${ioxColumnType('tag')}`;
  return new InfluxError({ code: error.code, message, status: error.status, shape: error.shape, cause: error });
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
