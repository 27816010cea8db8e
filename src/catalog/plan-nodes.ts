import type { NodeRecord } from './definitions.ts';
import { resourceNotFound } from './errors.ts';
import type { Plan } from './plan.ts';
import type { CatalogState } from './state.ts';

/** What a starting server tells about itself. */
export interface NodeRegistration {
  readonly nodeId: string;
  readonly cores: number;
  readonly processUuid: string;
  /** JSON object text, secrets already masked. */
  readonly cliParams: string | undefined;
}

/** Keeps id and instance id of an earlier registration; a node that crashed and still reads `running` is no obstacle. */
export function planRegisterNode(
  state: CatalogState,
  registration: NodeRegistration,
  newInstanceId: string,
  nowMs: number,
): Plan<NodeRecord> {
  const before = state.nodes.get(registration.nodeId);
  const node: NodeRecord = {
    id: before?.id ?? state.nextNodeId,
    nodeId: registration.nodeId,
    instanceId: before?.instanceId ?? newInstanceId,
    mode: ['core'],
    cores: registration.cores,
    state: 'running',
    processUuid: registration.processUuid,
    cliParams: registration.cliParams,
    updatedAtMs: nowMs,
  };
  return { ops: [{ op: 'put_node', node }], result: () => node };
}

/** Notes that a node has stopped, at a time in milliseconds since 1970. Throws 404 for a node that never registered. */
export function planStopNode(state: CatalogState, nodeId: string, nowMs: number): Plan<NodeRecord> {
  const before = state.nodes.get(nodeId);
  if (before === undefined) throw resourceNotFound(nodeId);
  const node: NodeRecord = { ...before, state: 'stopped', updatedAtMs: nowMs };
  return { ops: [{ op: 'put_node', node }], result: () => node };
}

/** Stores the duration at the first start; later it stays what it is. Result: the stored one, seconds. */
export function planGen1Duration(state: CatalogState, secs: number): Plan<number> {
  if (state.gen1DurationSecs !== undefined) return { ops: [], result: () => state.gen1DurationSecs ?? secs };
  return { ops: [{ op: 'set_gen1_duration', secs }], result: () => secs };
}
