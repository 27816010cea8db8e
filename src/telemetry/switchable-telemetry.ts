import type { MinuteSample } from './history.ts';
import type { TriggerType } from './invocations.ts';
import type { LedgerEntry } from './ledger.ts';
import type { TelemetryRecorder } from './recorder.ts';
import { resolveTelemetry, type TelemetryResolution, type TelemetrySwitches } from './resolve.ts';
import type { TelemetrySettings } from './settings.ts';
import type { TelemetryStatus } from './status.ts';
import { createTelemetry, type Telemetry, type TelemetryDeps } from './telemetry.ts';

export interface SwitchableTelemetryDeps extends Omit<TelemetryDeps, 'resolution'> {
  /** Flags and variables of this start. */
  readonly switches: Omit<TelemetrySwitches, 'storedOff'>;
  readonly settings: TelemetrySettings;
}

/** What a person can change while the server runs. */
export interface TelemetryControl {
  /** Nothing is collected or sent from now on, also after a restart. Rejects when that cannot be stored; it is off all the same. */
  switchOff(): Promise<void>;
  /** Takes `switchOff` back. Flags and variables that say off still do. */
  switchOn(): Promise<void>;
  /** Reports carry new random ids from now on, so that they cannot be told to come from the same server as those before. */
  resetIds(): Promise<void>;
}

/**
 * Telemetry that a person can switch off and on, and give new ids, while the server runs. Each change makes telemetry anew: counters
 * of before are gone, and the first report comes an hour later.
 *
 * Shared by: writes and queries (`recorder`), routes and triggers. They see the telemetry of the moment in each synchronous step; changes
 * queue up behind each other.
 */
export class SwitchableTelemetry implements Telemetry, TelemetryControl {
  readonly recorder: TelemetryRecorder;
  readonly #deps: SwitchableTelemetryDeps;
  #current: Telemetry;
  #resolution: TelemetryResolution;
  #started = false;
  #stopped = false;
  #changing: Promise<void> = Promise.resolve();

  constructor(deps: SwitchableTelemetryDeps) {
    this.#deps = deps;
    this.#resolution = this.#resolve();
    this.#current = this.#create(deps.firstReport ?? 'at start');
    this.recorder = {
      recordWrite: (lines, bytes) => this.#current.recorder.recordWrite(lines, bytes),
      recordQuery: () => this.#current.recorder.recordQuery(),
    };
  }

  get state(): 'on' | 'off' {
    return this.#current.state;
  }

  /** Whether it runs, where to, and why, after all that was switched until now. */
  get resolution(): TelemetryResolution {
    return this.#resolution;
  }

  recordInvocation(database: string, trigger: string, plugin: string, type: TriggerType): void {
    this.#current.recordInvocation(database, trigger, plugin, type);
  }

  start(): void {
    this.#started = true;
    this.#current.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#changing;
    await this.#current.stop();
  }

  preview(): Uint8Array {
    return this.#current.preview();
  }

  snapshotJson(): string {
    return this.#current.snapshotJson();
  }

  status(): TelemetryStatus {
    return this.#current.status();
  }

  history(): readonly MinuteSample[] {
    return this.#current.history();
  }

  ledger(): Promise<readonly LedgerEntry[]> {
    return this.#current.ledger();
  }

  switchOff(): Promise<void> {
    return this.#change(async (settings) => {
      // Both are waited for whatever happens: a failure that nobody waits for would end the process.
      const results = await Promise.allSettled([settings.setOff(true), this.#replace()]);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    });
  }

  switchOn(): Promise<void> {
    return this.#change(async (settings) => {
      await settings.setOff(false);
      await this.#replace();
    });
  }

  resetIds(): Promise<void> {
    return this.#change(async (settings) => {
      await settings.resetIds();
      await this.#replace();
    });
  }

  #change(step: (settings: TelemetrySettings) => Promise<void>): Promise<void> {
    const done = this.#changing.then(() => step(this.#deps.settings));
    this.#changing = done.catch(() => undefined); // the caller hears of it
    return done;
  }

  async #replace(): Promise<void> {
    const before = this.#current;
    await before.stop();
    this.#resolution = this.#resolve();
    this.#current = this.#create('after an hour');
    if (this.#started && !this.#stopped) this.#current.start();
  }

  #resolve(): TelemetryResolution {
    const { switches, settings } = this.#deps;
    return resolveTelemetry({ ...switches, storedOff: settings.stored.off });
  }

  #create(firstReport: 'at start' | 'after an hour'): Telemetry {
    const { settings, identity } = this.#deps;
    return createTelemetry({ ...this.#deps, resolution: this.#resolution, firstReport, identity: { ...identity, ...settings.stored.ids } });
  }
}
