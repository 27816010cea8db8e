import { availableParallelism, homedir, hostname } from 'node:os';
import { availableMemoryBytes } from '../shared/memory-size.ts';
import type { ValueFacts } from './value-types.ts';

/** What the machine says; tests bring their own. */
export interface HostFacts extends ValueFacts {
  /** Undefined when the machine has none. */
  readonly hostname: string | undefined;
  readonly homeDir: string;
  readonly cwd: string;
  readonly cpuCount: number;
}

/** Facts about this machine and process. */
export function readHostFacts(): HostFacts {
  return {
    hostname: hostname() || undefined,
    homeDir: homedir(),
    cwd: process.cwd(),
    cpuCount: availableParallelism(),
    memoryTotalBytes: availableMemoryBytes(),
  };
}
