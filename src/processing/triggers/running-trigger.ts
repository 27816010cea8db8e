import type { DatabaseSchema, TriggerDefinition } from '../../catalog/index.ts';

/** An enabled trigger at work. */
export interface RunningTrigger {
  readonly definition: TriggerDefinition;
  /** Takes no more events; ends when what runs has ended, by force after `graceMs`. Idempotent. */
  stop(graceMs: number): Promise<void>;
}

/** A trigger and where it belongs. */
export interface TriggerIdentity {
  readonly database: DatabaseSchema;
  readonly definition: TriggerDefinition;
}
