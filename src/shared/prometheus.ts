import { createRequire } from 'node:module';
import type * as prom from 'prom-client';

// The package's own entry also loads its process metrics and with them an OpenTelemetry API: a fifth of a server's start.
const load = createRequire(import.meta.url);

/** Metric that only grows. */
export const Counter = load('prom-client/lib/counter.js') as typeof prom.Counter;
export type Counter<T extends string = string> = prom.Counter<T>;

/** Metric that goes up and down. */
export const Gauge = load('prom-client/lib/gauge.js') as typeof prom.Gauge;
export type Gauge<T extends string = string> = prom.Gauge<T>;

/** Metric that counts values in buckets. */
export const Histogram = load('prom-client/lib/histogram.js') as typeof prom.Histogram;
export type Histogram<T extends string = string> = prom.Histogram<T>;

/** Metrics of one server. */
export const Registry = load('prom-client/lib/registry.js') as typeof prom.Registry;
export type Registry = prom.Registry;
