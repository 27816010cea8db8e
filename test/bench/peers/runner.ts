import { join } from 'node:path';
import type { ShapeName } from '../line-protocol-shapes.ts';
import type { Report } from './report.ts';
import { RunningServer } from './running-server.ts';
import type { Target } from './target.ts';

export interface RunnerOptions {
  readonly rounds: number;
  /** Shorter runs and less data. */
  readonly quick: boolean;
  readonly shapes: readonly ShapeName[];
}

/** What all tasks share: the servers, the report, the scratch directory. */
export class Runner {
  readonly targets: readonly Target[];
  readonly report: Report;
  readonly options: RunnerOptions;
  /** Columns of variants that only some tasks have. */
  readonly extraNames: string[] = [];
  readonly #directory: string;
  #starts = 0;

  constructor(targets: readonly Target[], report: Report, directory: string, options: RunnerOptions) {
    this.targets = targets;
    this.report = report;
    this.#directory = directory;
    this.options = options;
  }

  /** Each target in turn, as often as there are rounds (A B A B), each time in a fresh directory. */
  async eachInTurn(what: string, task: (server: RunningServer) => Promise<void>, targets = this.targets): Promise<void> {
    for (let round = 1; round <= this.options.rounds; round++) {
      for (const target of targets) {
        process.stderr.write(`${what}: ${target.name}, round ${round}\n`);
        await this.withServer(target, task);
      }
    }
  }

  async withServer(target: Target, task: (server: RunningServer) => Promise<void>): Promise<void> {
    const server = await RunningServer.start(target, join(this.#directory, `d${this.#starts++}`));
    try {
      await task(server);
    } finally {
      await server.stop();
    }
  }
}
