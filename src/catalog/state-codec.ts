import type { DatabaseId, DistinctCacheId, LastCacheId, NodeNumber, TableId, TokenId, TriggerId } from '../shared/ids.ts';
import type {
  DistinctCacheDefinition,
  LastCacheDefinition,
  NodeRecord,
  ResourceTokenRecord,
  TokenRecord,
  TriggerDefinition,
} from './definitions.ts';
import { MutableDatabase, MutableTable } from './model.ts';
import type { ColumnEntry } from './ops.ts';
import { CatalogState, optionalNs } from './state.ts';

/** One line of a snapshot. Lines stand in an order in which they can be applied one by one. */
type SnapshotLine =
  | {
      readonly line: 'head';
      readonly nextDatabaseId: DatabaseId;
      readonly nextNodeId: NodeNumber;
      readonly nextTokenId: TokenId;
      readonly gen1DurationSecs?: number | undefined;
    }
  | { readonly line: 'node'; readonly node: NodeRecord }
  | { readonly line: 'token'; readonly token: TokenRecord }
  | { readonly line: 'resource_token'; readonly token: ResourceTokenRecord }
  | {
      readonly line: 'database';
      readonly id: DatabaseId;
      readonly name: string;
      readonly deleted: boolean;
      readonly hardDeleteNs?: string | undefined;
      readonly nameBefore?: string | undefined;
      readonly retentionNs?: string | undefined;
      readonly defaultPolicy?: string | undefined;
      readonly shardDurationNs?: string | undefined;
      readonly replicas?: number | undefined;
      readonly nextTableId: TableId;
      readonly nextTriggerId: TriggerId;
      readonly triggers: readonly TriggerDefinition[];
    }
  | {
      readonly line: 'table';
      readonly db: DatabaseId;
      readonly id: TableId;
      readonly name: string;
      readonly deleted: boolean;
      readonly hardDeleteNs?: string | undefined;
      readonly nameBefore?: string | undefined;
      readonly withDatabase?: boolean | undefined;
      readonly retentionNs?: string | undefined;
      readonly nextLastCacheId: LastCacheId;
      readonly nextDistinctCacheId: DistinctCacheId;
      readonly columns: readonly ColumnEntry[];
      readonly lastCaches: readonly LastCacheDefinition[];
      readonly distinctCaches: readonly DistinctCacheDefinition[];
    };

/** The whole state as JSON lines, one at a time so that the caller can pause between them. */
export function* dumpState(state: CatalogState): Generator<string> {
  yield print({
    line: 'head',
    nextDatabaseId: state.nextDatabaseId,
    nextNodeId: state.nextNodeId,
    nextTokenId: state.nextTokenId,
    gen1DurationSecs: state.gen1DurationSecs,
  });
  for (const node of state.nodes.values()) yield print({ line: 'node', node });
  for (const token of state.tokens.values()) yield print(tokenLine(token));
  for (const database of state.databaseById.values()) {
    yield print({
      line: 'database',
      id: database.id,
      name: database.name,
      deleted: database.deleted,
      hardDeleteNs: database.hardDeleteTimeNs?.toString(),
      nameBefore: database.nameBefore,
      retentionNs: database.retentionPeriodNs?.toString(),
      defaultPolicy: database.defaultPolicy,
      shardDurationNs: database.shardDurationNs?.toString(),
      replicas: database.replicas,
      nextTableId: database.nextTableId,
      nextTriggerId: database.nextTriggerId,
      triggers: [...database.triggers.values()],
    });
    for (const table of database.tableById.values()) yield print(tableLine(table));
  }
}

/** Reads what `dumpState` wrote. Throws on anything else. */
export function loadState(payload: Uint8Array): CatalogState {
  const state = new CatalogState();
  for (const text of new TextDecoder('utf-8', { fatal: true }).decode(payload).split('\n')) {
    if (text !== '') applyLine(state, JSON.parse(text) as SnapshotLine);
  }
  state.recount();
  return state;
}

/** A resource token has a line of its own, so that a version that knows admin tokens only cannot take it for one. */
function tokenLine(token: TokenRecord): SnapshotLine {
  const { permissions } = token;
  return permissions === undefined ? { line: 'token', token } : { line: 'resource_token', token: { ...token, permissions } };
}

function tableLine(table: MutableTable): SnapshotLine {
  return {
    line: 'table',
    db: table.databaseId,
    id: table.id,
    name: table.name,
    deleted: table.deleted,
    hardDeleteNs: table.hardDeleteTimeNs?.toString(),
    nameBefore: table.nameBefore,
    withDatabase: table.deletedWithDatabase,
    retentionNs: table.retentionPeriodNs?.toString(),
    nextLastCacheId: table.nextLastCacheId,
    nextDistinctCacheId: table.nextDistinctCacheId,
    columns: table.columns.map((column) => [column.name, column.type]),
    lastCaches: [...table.lastCaches.values()],
    distinctCaches: [...table.distinctCaches.values()],
  };
}

function print(line: SnapshotLine): string {
  return `${JSON.stringify(line)}\n`;
}

function applyLine(state: CatalogState, line: SnapshotLine): void {
  switch (line.line) {
    case 'head':
      state.nextDatabaseId = line.nextDatabaseId;
      state.nextNodeId = line.nextNodeId;
      state.nextTokenId = line.nextTokenId;
      state.gen1DurationSecs = line.gen1DurationSecs;
      return;
    case 'node':
      state.apply({ op: 'put_node', node: line.node });
      return;
    case 'token':
      state.apply({ op: 'put_token', token: line.token });
      return;
    case 'resource_token':
      state.apply({ op: 'put_resource_token', token: line.token });
      return;
    case 'database': {
      const database = new MutableDatabase(line.id, line.name);
      database.deleted = line.deleted;
      database.hardDeleteTimeNs = optionalNs(line.hardDeleteNs);
      database.nameBefore = line.nameBefore;
      database.retentionPeriodNs = optionalNs(line.retentionNs);
      database.defaultPolicy = line.defaultPolicy;
      database.shardDurationNs = optionalNs(line.shardDurationNs);
      database.replicas = line.replicas;
      database.nextTableId = line.nextTableId;
      database.nextTriggerId = line.nextTriggerId;
      for (const trigger of line.triggers) database.triggers.set(trigger.name, trigger);
      state.addDatabase(database);
      return;
    }
    case 'table': {
      const table = new MutableTable(line.id, line.db, line.name);
      table.deleted = line.deleted;
      table.hardDeleteTimeNs = optionalNs(line.hardDeleteNs);
      table.nameBefore = line.nameBefore;
      table.deletedWithDatabase = line.withDatabase;
      table.retentionPeriodNs = optionalNs(line.retentionNs);
      table.addColumns(line.columns);
      for (const cache of line.lastCaches) table.lastCaches.set(cache.name, cache);
      for (const cache of line.distinctCaches) table.distinctCaches.set(cache.name, cache);
      table.nextLastCacheId = line.nextLastCacheId;
      table.nextDistinctCacheId = line.nextDistinctCacheId;
      state.database(line.db).addTable(table);
      return;
    }
    default:
      throw new Error('unknown line in catalog snapshot');
  }
}
