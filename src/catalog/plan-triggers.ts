import { unreachable } from '../shared/assert.ts';
import type { TriggerDefinition } from './definitions.ts';
import { alreadyExists, databaseMissing, resourceNotFound, triggerIsRunning } from './errors.ts';
import type { MutableDatabase } from './model.ts';
import { liveDatabase, type Plan } from './plan.ts';
import type { CatalogState } from './state.ts';

/** Request for a trigger. The specification text was parsed and the plugin checked before. */
export type NewTrigger = Omit<TriggerDefinition, 'id'>;

/** How many triggers of each kind exist. */
export interface TriggerCounts {
  readonly walSingle: number;
  readonly walAll: number;
  readonly schedule: number;
  readonly request: number;
}

/** A trigger of a database. Throws 404 without the database, 409 when the name is taken. */
export function planCreateTrigger(state: CatalogState, databaseName: string, request: NewTrigger): Plan<TriggerDefinition> {
  const database = liveDatabase(state, databaseName);
  if (database.triggers.has(request.name)) throw alreadyExists();
  const trigger: TriggerDefinition = { id: database.nextTriggerId, ...request };
  return { ops: [{ op: 'put_trigger', db: database.id, trigger }], result: () => trigger };
}

/** Removes a trigger. Throws 404 when it is missing, 500 when it is enabled and `force` is not given. */
export function planDeleteTrigger(state: CatalogState, databaseName: string, name: string, force: boolean): Plan<void> {
  const [database, trigger] = triggerNamed(state, databaseName, name);
  if (!trigger.disabled && !force) throw triggerIsRunning(name);
  return { ops: [{ op: 'drop_trigger', db: database.id, id: trigger.id }], result: () => undefined };
}

/** No steps when the trigger is in that state already. */
export function planSetTriggerDisabled(
  state: CatalogState,
  databaseName: string,
  name: string,
  disabled: boolean,
): Plan<TriggerDefinition> {
  const [database, trigger] = triggerNamed(state, databaseName, name);
  const changed: TriggerDefinition = { ...trigger, disabled };
  const ops = trigger.disabled === disabled ? [] : [{ op: 'put_trigger' as const, db: database.id, trigger: changed }];
  return { ops, result: () => changed };
}

/** Counts disabled triggers and those of soft-deleted databases too. */
export function countTriggers(state: CatalogState): TriggerCounts {
  const counts = { walSingle: 0, walAll: 0, schedule: 0, request: 0 };
  for (const database of state.databases.values()) {
    for (const { spec } of database.triggers.values()) {
      switch (spec.kind) {
        case 'table':
          counts.walSingle++;
          break;
        case 'all_tables':
          counts.walAll++;
          break;
        case 'schedule':
        case 'every':
          counts.schedule++;
          break;
        case 'request':
          counts.request++;
          break;
        default:
          unreachable(spec);
      }
    }
  }
  return counts;
}

function triggerNamed(state: CatalogState, databaseName: string, name: string): [MutableDatabase, TriggerDefinition] {
  const database = state.databases.get(databaseName);
  if (database === undefined) throw databaseMissing(databaseName);
  const trigger = database.triggers.get(name);
  if (trigger === undefined) throw resourceNotFound(name);
  return [database, trigger];
}
