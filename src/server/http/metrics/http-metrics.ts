import { Counter, Gauge, type Registry } from '../../../shared/prometheus.ts';
import type { ProductInfo } from '../dependencies.ts';
import { CellHistogram, type HistogramCell } from './request-histogram.ts';

const PRODUCT_NAME = 'InfluxDB 3 Core';

/** Seconds. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Bytes. */
const SIZE_BUCKETS = [100, 1e3, 1e4, 1e5, 1e6, 1e7];

/** One answered request, as the metrics see it. */
export interface AnsweredRequest {
  readonly method: string;
  /** Route path, never a path that a client made up. */
  readonly route: string;
  readonly status: number;
  readonly aborted: boolean;
  readonly durationSecs: number;
  readonly bodyBytes: number;
}

/** Requests with the same labels. */
interface RequestCells {
  readonly labels: Readonly<Record<string, string>>;
  readonly durations: HistogramCell;
  readonly sizes: HistogramCell;
  count: number;
}

/**
 * The metrics of requests (docs/api.md). What comes with every request is summed up here and handed to the
 * counters of prom-client when somebody looks at them.
 */
export class HttpMetrics {
  readonly #durations: CellHistogram;
  readonly #sizes: CellHistogram;
  /** By labels. */
  readonly #requests = new Map<string, RequestCells>();

  constructor(registry: Registry, product: ProductInfo, startTimeSecs: number) {
    const registers = [registry];
    const started = new Gauge({
      name: 'process_start_time_seconds',
      help: 'Start time of the process since unix epoch in seconds.',
      labelNames: ['product_name', 'version', 'git_hash', 'uuid'],
      registers,
    });
    const { version, revision, processId } = product;
    started.set({ product_name: PRODUCT_NAME, version, git_hash: revision, uuid: processId }, startTimeSecs);
    const requests = this.#requests;
    new Counter({
      name: 'http_requests_total',
      help: 'accumulated total requests',
      labelNames: ['path', 'method', 'method_path', 'status'],
      registers,
      collect() {
        this.reset();
        for (const { count, labels } of requests.values()) this.inc({ ...labels }, count);
      },
    });
    this.#durations = new CellHistogram(
      { name: 'http_request_duration_seconds', help: 'distribution of request latencies', bounds: DURATION_BUCKETS },
      registry,
    );
    this.#sizes = new CellHistogram(
      { name: 'http_response_body_size_bytes', help: 'distribution of response body sizes', bounds: SIZE_BUCKETS },
      registry,
    );
  }

  recordRequest(answered: AnsweredRequest): void {
    const { method, route, status } = answered;
    const label = statusLabel(answered);
    // Labels that clients could invent are dropped, so that the number of series stays bounded.
    const key = status === 404 ? `${method} ${label}` : status === 405 ? `${route} ${label}` : `${method} ${route} ${label}`;
    let cells = this.#requests.get(key);
    if (cells === undefined) {
      const labels = requestLabels(answered, label);
      cells = { labels, durations: this.#durations.cell(labels), sizes: this.#sizes.cell(labels), count: 0 };
      this.#requests.set(key, cells);
    }
    cells.count++;
    cells.durations.observe(answered.durationSecs);
    cells.sizes.observe(answered.bodyBytes);
  }
}

function requestLabels({ method, route, status }: AnsweredRequest, label: string): Record<string, string> {
  if (status === 404) return { method, status: label };
  if (status === 405) return { path: route, status: label };
  return { path: route, method, method_path: `${method} ${route}`, status: label };
}

function statusLabel(answered: AnsweredRequest): string {
  if (answered.aborted) return 'aborted';
  if (answered.status >= 200 && answered.status < 300) return 'ok';
  if (answered.status >= 400 && answered.status < 500) return 'client_error';
  return answered.status >= 500 ? 'server_error' : 'unexpected_response';
}
