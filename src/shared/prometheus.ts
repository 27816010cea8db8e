import type * as prom from 'prom-client';
// The package's own entry also loads its process metrics and with them an OpenTelemetry API: a fifth of a server's start.
import CounterClass from 'prom-client/lib/counter.js';
import GaugeClass from 'prom-client/lib/gauge.js';
import HistogramClass from 'prom-client/lib/histogram.js';
import RegistryClass from 'prom-client/lib/registry.js';

/** Metric that only grows. */
export const Counter = CounterClass;
export type Counter<T extends string = string> = prom.Counter<T>;

/** Metric that goes up and down. */
export const Gauge = GaugeClass;
export type Gauge<T extends string = string> = prom.Gauge<T>;

/** Metric that counts values in buckets. */
export const Histogram = HistogramClass;
export type Histogram<T extends string = string> = prom.Histogram<T>;

/** Metrics of one server. */
export const Registry = RegistryClass;
export type Registry = prom.Registry;
