import type { EngineResponse } from '../processing-service.ts';
import { type PluginCalls, PluginFailure } from './plugin-host.ts';

/** A call that a host has sent to its plugin and that has not ended. */
export interface RunningCall {
  readonly calls: PluginCalls;
  /** Ends what the plugin asked for during the call. */
  readonly aborted: AbortController;
  readonly resolve: (response: EngineResponse | undefined) => void;
  readonly reject: (failure: PluginFailure) => void;
}

/** A call whose end settles `outcome`. Calls `onAbort` when `signal` aborts before that; settling it stops listening. */
export function runningCall(
  calls: PluginCalls,
  signal: AbortSignal,
  onAbort: () => void,
  outcome: Pick<RunningCall, 'resolve' | 'reject'>,
): RunningCall {
  signal.addEventListener('abort', onAbort, { once: true });
  const done = (): void => signal.removeEventListener('abort', onAbort);
  return {
    calls,
    aborted: new AbortController(),
    resolve: (response) => {
      done();
      outcome.resolve(response);
    },
    reject: (failure) => {
      done();
      outcome.reject(failure);
    },
  };
}

/** Why a call was aborted: the failure that the signal carries, otherwise that its trigger was stopped. */
export function abortReason({ reason }: AbortSignal): PluginFailure {
  return reason instanceof PluginFailure ? reason : new PluginFailure('stopped', 'the trigger was stopped');
}
